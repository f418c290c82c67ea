"""The table, the caveats and the line of ratios."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

Seconds = Mapping[str, Sequence[float]]
OURS = "spinelabel"
_ORDER = ("script", "ray_data", "bentoml", "roofline")

_CAVEATS = """\
From reading the catalogue (ours: from the start of its upload) to the labels having been written. Importing, loading and
warming up are not counted; what Ray Data reads until its last actor has loaded is not either. BentoML returns its result
as text in JSON, and TensorFlow uses all cores in every contender, with one actor for each core in Ray Data's. The embedded
model server stands in for tensorflow/serving; client and servers share the cores; Spinelabel keeps its cache of labels off
except where it says *again*. It also does what the others do not: row errors, resuming, calibrated decisions."""


def table(seconds: Seconds, rows: int) -> str:
    """Rows per second of everything that was measured."""
    count = len(seconds[OURS])
    lines = [f"{'':12}{'rows/s':>9}{'slowest':>9}{'fastest':>9}   ({rows} rows, median of {count})"]
    for name in (OURS, *(n for n in _ORDER if n in seconds)):
        rates = sorted(rows / taken for taken in seconds[name])
        lines.append(f"{name:12}{statistics.median(rates):9.0f}{rates[0]:9.0f}{rates[-1]:9.0f}")
    return "\n".join([*lines, _CAVEATS])


def one_row(taken: Sequence[float]) -> str:
    """What a job of one row takes."""
    ordered = sorted(taken)
    slow = ordered[int(len(ordered) * 0.95)]
    return (
        f"one row, POST to completed: median {statistics.median(ordered) * 1000:.0f} ms, "
        f"95 % within {slow * 1000:.0f} ms ({len(ordered)} jobs one after the other)"
    )


def again(first: float, later: float, rows: int, new_share: float) -> str:
    """What the cache of labels is worth."""
    return (
        f"again with {new_share:.0%} new rows, cache on: {rows / later:.0f} rows/s against {rows / first:.0f} "
        f"the first time, {first / later:.1f} times as fast"
    )


def ratios(seconds: Seconds) -> str:
    """How many times as fast Spinelabel is, round by round; medians."""
    found = []
    for name in _ORDER:
        if name in seconds:
            pairs = zip(seconds[name], seconds[OURS], strict=True)
            found.append(f"{OURS}/{name}={statistics.median(a / b for a, b in pairs):.2f}")
    return " ".join(found)
