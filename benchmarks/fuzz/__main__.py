"""Uploads thousands of hostile catalogues to a local stack and checks the results.

    python -m benchmarks.fuzz [--catalogues 10000] [--seed N] [--first N] [--max-seconds S]

Each catalogue is refused with a 4xx and a code, or becomes a job that ends with the same number of
rows, unchanged cells and consistent counts; an independent parser, written from the documented
rules, reads the input. There may be no 5xx, no process may die, no file may be left over. The exit
status is 1 if there was a violation; `--first NUMBER --catalogues 1` repeats a reported case.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.fuzz.corpus import kinds
from benchmarks.fuzz.run import Report, run
from benchmarks.local_stack import stop_on_sigterm


def render(report: Report) -> str:
    """The table, and the summary as the last line."""
    lines = [f"{'catalogues':34}{'sent':>7}{'refused':>9}{'labelled':>10}"]
    for kind in kinds():
        refused, accepted = report.refused[kind], report.accepted[kind]
        lines.append(f"{kind:34}{refused + accepted:7}{refused:9}{accepted:10}")
    codes = ", ".join(f"{code} {n}" for code, n in report.codes.most_common())
    states = ", ".join(f"{n} {state}" for state, n in report.states.most_common())
    lines += ["", f"refused: {codes or 'none'}", f"jobs: {states or 'none'}"]
    lines += [f"VIOLATED: {violation}" for violation in report.violations]
    lines += [
        "",
        f"catalogues={report.uploads} refused={report.refused.total()} "
        f"jobs={report.states.total()} "
        f"rows={report.rows} violations={len(report.violations)} seconds={report.seconds:.0f}",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run; return the exit status: 0 if there was no violation."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--catalogues", type=int, default=10_000, help="number (default: 10000)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    parser.add_argument("--first", type=int, default=0, help="number of the first catalogue")
    parser.add_argument("--max-seconds", type=float, help="start no further batch after this time")
    parser.add_argument(
        "--model-root", type=Path, help="NAME/VERSION folders (default: a tiny model)"
    )
    parser.add_argument("--keep", type=Path, help="folder for data and logs, which is kept")
    options = parser.parse_args()
    stop_on_sigterm()
    report = run(
        catalogues=options.catalogues,
        seed=options.seed,
        model_root=options.model_root,
        first=options.first,
        max_seconds=options.max_seconds,
        keep=options.keep,
    )
    print(render(report))
    return 1 if report.violations or not report.uploads else 0


if __name__ == "__main__":
    sys.exit(main())
