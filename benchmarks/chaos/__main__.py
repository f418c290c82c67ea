"""Faults by the hundred on the laptop stack, and the proof that nothing is lost by them.

    python -m benchmarks.chaos [--faults 200] [--seed N] [--model-root FOLDER]

Starts a stack of its own in a temporary folder, keeps several jobs of mixed sizes under way, and kills -9, stops,
restarts, starves and confuses its processes, at random and at each named step. Every job is checked when it has
ended; the exit status is 1 when anything that must always hold did not. Without --model-root a model that costs
next to nothing is used: what is measured here is recovery, not labelling.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.chaos.report import render
from benchmarks.chaos.run import run
from benchmarks.local_stack import stop_on_sigterm


def main() -> int:
    """The exit status: 0 when every invariant held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model-root", type=Path, help="NAME/VERSION folders (default: tiny)")
    parser.add_argument("--keep", type=Path, help="folder for data and logs, kept afterwards")
    options = parser.parse_args()
    stop_on_sigterm()
    outcome = run(
        faults=options.faults, seed=options.seed, model_root=options.model_root, keep=options.keep
    )
    print(render(outcome))
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
