"""Injects hundreds of faults into a local stack and checks that no row is lost.

    python -m benchmarks.chaos [--faults 200] [--seed N] [--model-root FOLDER]

Starts a stack in a temporary folder, keeps several jobs of different sizes running, and kills,
stops, restarts and disturbs its processes, at random and at named steps of a job. Every job is
checked at its end. The exit status is 1 if an invariant was violated. Without --model-root a tiny
model is used, because recovery is measured and not labelling.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.chaos.report import render
from benchmarks.chaos.run import run
from benchmarks.local_stack import stop_on_sigterm


def main() -> int:
    """Run; return the exit status: 0 if there was no violation."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--faults", type=int, default=200, help="number of faults (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    parser.add_argument(
        "--model-root", type=Path, help="NAME/VERSION folders (default: a tiny model)"
    )
    parser.add_argument("--keep", type=Path, help="folder for data and logs, which is kept")
    options = parser.parse_args()
    stop_on_sigterm()
    report = run(
        faults=options.faults, seed=options.seed, model_root=options.model_root, keep=options.keep
    )
    print(render(report))
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
