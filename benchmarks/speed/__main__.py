"""Measures Spinelabel, a script, Ray Data, BentoML and the roofline on the same rows.

    python -m benchmarks.speed [--rows 20000] [--rounds 3] [--bench-python var/bench/bin/python]
                               [--catalogue FILE --column NAME]

In each round all are started, measured and stopped in turn. Prints medians, and ratios as the last
line.
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
from benchmarks.speed.competitors import competitors
from benchmarks.speed.spinelabel_runner import one_row_seconds, seconds, warm_stack

_NEW_SHARE = 0.05
_ONE_ROW_JOBS = 100
# A job uses predictions that were cached before the second in which it started.
_PAUSE_S = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument(
        "--rows", type=int, default=20_000, help="of the catalogue (default: 20000)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="number (default: 3)")
    parser.add_argument("--bench-python", type=Path, help="interpreter with Ray Data and BentoML")
    parser.add_argument("--catalogue", type=Path, help="instead of a generated one")
    parser.add_argument("--column", default=COLUMN, help="summary column of --catalogue")
    options = parser.parse_args()
    stop_on_sigterm()
    with tempfile.TemporaryDirectory() as temporary:
        catalogue = options.catalogue or Path(temporary) / "catalogue.csv"
        if options.catalogue is None:
            write_catalogue(catalogue, options.rows)
        print(f"{catalogue.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores", file=sys.stderr)
        durations, one_row = _rounds(
            catalogue, options.column, options.rounds, options.bench_python
        )
        print(report.table(durations, options.rows))
        print(report.one_row(one_row))
        if options.catalogue is None:
            print(
                report.second_run(
                    *_second_run(catalogue, Path(temporary)), options.rows, _NEW_SHARE
                )
            )
        print(report.ratios(durations))


def _rounds(
    catalogue: Path, column: str, rounds: int, bench_python: Path | None
) -> tuple[report.Seconds, list[float]]:
    durations: dict[str, list[float]] = defaultdict(list)
    one_row: list[float] = []
    for number in range(1, rounds + 1):
        with warm_stack(prediction_cache_max_entries=0) as stack:
            durations[report.SPINELABEL].append(seconds(stack, catalogue, column))
            one_row += one_row_seconds(stack, times=_ONE_ROW_JOBS // rounds)
        for name, competitor in competitors(bench_python).items():
            durations[name].append(competitor.seconds(catalogue, column))
        rates = ", ".join(f"{name} {values[-1]:.2f} s" for name, values in durations.items())
        print(
            f"round {number} of {rounds}: {rates}; load {os.getloadavg()[0]:.1f}", file=sys.stderr
        )
    return durations, one_row


def _second_run(catalogue: Path, folder: Path) -> tuple[float, float]:
    """Seconds for the catalogue, and for a second run with some new rows."""
    mix(folder / "second.csv", catalogue, new_share=_NEW_SHARE, seed=2)
    with warm_stack(prediction_cache_max_entries=500_000) as stack:
        first = seconds(stack, catalogue, COLUMN)
        time.sleep(_PAUSE_S)
        return first, seconds(stack, folder / "second.csv", COLUMN)


if __name__ == "__main__":
    main()
