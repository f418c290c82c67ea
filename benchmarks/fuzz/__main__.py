"""Hostile catalogues by the thousand, from upload to result, on the laptop stack.

    python -m benchmarks.fuzz [--catalogues 10000] [--seed N] [--first N] [--most-seconds S]

Each is refused with a 4xx and a code, or becomes a job that ends with as many rows as went in, every cell's value
unchanged, counts that reconcile; what went in is read by a second reader, written from the documented rules. No
answer may be a 5xx, no process may die, no file may be left over. The exit status is 1 when anything of this did not
hold; a case that is reported can be sent again with `--first NUMBER --catalogues 1`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.fuzz.corpus import kinds
from benchmarks.fuzz.run import Outcome, run
from benchmarks.local_stack import stop_on_sigterm


def render(outcome: Outcome) -> str:
    """The table and, last, the summary in one line."""
    lines = [f"{'catalogues':34}{'sent':>7}{'refused':>9}{'labelled':>10}"]
    for kind in kinds():
        refused, accepted = outcome.refused[kind], outcome.accepted[kind]
        lines.append(f"{kind:34}{refused + accepted:7}{refused:9}{accepted:10}")
    codes = ", ".join(f"{code} {n}" for code, n in outcome.codes.most_common())
    states = ", ".join(f"{n} {state}" for state, n in outcome.states.most_common())
    lines += ["", f"refused: {codes or 'none'}", f"jobs: {states or 'none'}"]
    lines += [f"VIOLATED: {violation}" for violation in outcome.violations]
    lines += [
        "",
        f"catalogues={outcome.uploads} refused={outcome.refused.total()} jobs={outcome.states.total()} "
        f"rows={outcome.rows} violations={len(outcome.violations)} seconds={outcome.seconds:.0f}",
    ]
    return "\n".join(lines)


def main() -> int:
    """The exit status: 0 when everything held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--catalogues", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first catalogue")
    parser.add_argument("--most-seconds", type=float, help="begin no further batch after so long")
    parser.add_argument("--model-root", type=Path, help="NAME/VERSION folders (default: tiny)")
    parser.add_argument("--keep", type=Path, help="folder for data and logs, kept afterwards")
    options = parser.parse_args()
    stop_on_sigterm()
    outcome = run(
        catalogues=options.catalogues,
        seed=options.seed,
        model_root=options.model_root,
        first=options.first,
        most_seconds=options.most_seconds,
        keep=options.keep,
    )
    print(render(outcome))
    return 1 if outcome.violations or not outcome.uploads else 0


if __name__ == "__main__":
    sys.exit(main())
