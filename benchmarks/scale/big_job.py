"""One large job: its rate compared with a job of 20,000 rows, and the memory during it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.local_stack import LocalStack
from benchmarks.scale.memory import Memory
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.spinelabel_runner import seconds

_SMALL_ROWS = 20_000


def measure_big_job(stack: LocalStack, folder: Path, rows: int) -> Iterator[str]:
    """Yield the lines of the report. All texts are different."""
    small, big = folder / "small.csv", folder / "big.csv"
    write_catalogue(small, _SMALL_ROWS, seed=11)
    write_catalogue(big, rows, seed=12)
    before = _SMALL_ROWS / seconds(stack, small, COLUMN)
    with Memory(stack) as memory:
        rate = rows / seconds(stack, big, COLUMN)
    after = _SMALL_ROWS / seconds(stack, small, COLUMN)
    usual_rate = (before + after) / 2
    yield (
        f"one job of {rows} rows ({big.stat().st_size / 1e6:.0f} MB): {rate:.0f} rows/s; of "
        f"{_SMALL_ROWS} rows {before:.0f} before and {after:.0f} after it; ratio "
        f"{rate / usual_rate:.2f}"
    )
    for kind, (early, late) in memory.early_and_late().items():
        peak = memory.peaks()[kind]
        yield f"  {kind:8} {early:6.0f} MB early, {late:6.0f} MB late, {peak:6.0f} MB maximum"
