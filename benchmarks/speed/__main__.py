"""Spinelabel beside a plain script, Ray Data, BentoML and the roofline, on the same rows and the same SavedModel.

    python -m benchmarks.speed [--rows 20000] [--rounds 3] [--bench-python var/bench/bin/python]
                               [--catalogue FILE --column NAME]

In each round everything is started, measured and ended in turn; medians are printed, and the ratios as the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.local_stack import stop_on_sigterm
from benchmarks.speed import report
from benchmarks.speed.catalogue import COLUMN, mix, write_catalogue
from benchmarks.speed.competitors import contenders
from benchmarks.speed.spinelabel_runner import one_row_seconds, seconds, system

_NEW_SHARE = 0.05
_ONE_ROW_JOBS = 100
# A job sees what was remembered before the second in which it began.
_LATER_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bench-python", type=Path, help="interpreter with Ray Data and BentoML")
    parser.add_argument("--catalogue", type=Path, help="instead of one made for the purpose")
    parser.add_argument("--column", default=COLUMN, help="of --catalogue")
    options = parser.parse_args()
    stop_on_sigterm()
    with tempfile.TemporaryDirectory() as temporary:
        catalogue = options.catalogue or Path(temporary) / "catalogue.csv"
        if options.catalogue is None:
            write_catalogue(catalogue, options.rows)
        print(f"{catalogue.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores", file=sys.stderr)
        taken, small = _rounds(catalogue, options.column, options.rounds, options.bench_python)
        print(report.table(taken, options.rows))
        print(report.one_row(small))
        if options.catalogue is None:
            print(report.again(*_again(catalogue, Path(temporary)), options.rows, _NEW_SHARE))
        print(report.ratios(taken))


def _rounds(
    catalogue: Path, column: str, rounds: int, bench_python: Path | None
) -> tuple[report.Seconds, list[float]]:
    taken: dict[str, list[float]] = defaultdict(list)
    small: list[float] = []
    for number in range(1, rounds + 1):
        with system(prediction_cache_max_entries=0) as stack:
            taken[report.OURS].append(seconds(stack, catalogue, column))
            small += one_row_seconds(stack, times=_ONE_ROW_JOBS // rounds)
        for name, contender in contenders(bench_python).items():
            taken[name].append(contender.seconds(catalogue, column))
        rates = ", ".join(f"{name} {values[-1]:.2f} s" for name, values in taken.items())
        print(
            f"round {number} of {rounds}: {rates}; load {os.getloadavg()[0]:.1f}", file=sys.stderr
        )
    return taken, small


def _again(catalogue: Path, folder: Path) -> tuple[float, float]:
    """Seconds for the catalogue, and for the same with some new rows later."""
    mix(folder / "later.csv", catalogue, new_share=_NEW_SHARE, seed=2)
    with system(prediction_cache_max_entries=500_000) as stack:
        first = seconds(stack, catalogue, COLUMN)
        time.sleep(_LATER_S)
        return first, seconds(stack, folder / "later.csv", COLUMN)


if __name__ == "__main__":
    main()
