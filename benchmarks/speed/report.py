"""The report: table, notes and the line of ratios."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

Seconds = Mapping[str, Sequence[float]]
SPINELABEL = "spinelabel"
_ORDER = ("script", "ray_data", "bentoml", "roofline")

_NOTES = """\
From reading the catalogue (Spinelabel: from the start of its upload) until the labels are written.
Import, loading and warm-up are not counted, nor what Ray Data reads until its last actor is loaded.
BentoML returns its result as text in JSON. TensorFlow uses all cores in every competitor, with one
actor per core in Ray Data. The embedded model server replaces tensorflow/serving; client and server
share the cores. The prediction cache is off except in the *second run*. Only Spinelabel has row
errors, resumption and calibrated confidences."""


def table(seconds: Seconds, rows: int) -> str:
    """Rows per second of all that were measured."""
    count = len(seconds[SPINELABEL])
    lines = [f"{'':12}{'rows/s':>9}{'slowest':>9}{'fastest':>9}   ({rows} rows, median of {count})"]
    for name in (SPINELABEL, *(n for n in _ORDER if n in seconds)):
        rates = sorted(rows / duration for duration in seconds[name])
        lines.append(f"{name:12}{statistics.median(rates):9.0f}{rates[0]:9.0f}{rates[-1]:9.0f}")
    return "\n".join([*lines, _NOTES])


def one_row(durations: Sequence[float]) -> str:
    """Duration of a job of one row."""
    ordered = sorted(durations)
    slow = ordered[int(len(ordered) * 0.95)]
    return (
        f"one row, POST to completed: median {statistics.median(ordered) * 1000:.0f} ms, "
        f"95 % within {slow * 1000:.0f} ms ({len(ordered)} jobs one after the other)"
    )


def second_run(first: float, second: float, rows: int, new_share: float) -> str:
    """Rate of a second run with the prediction cache."""
    return (
        f"second run with {new_share:.0%} new rows, cache on: {rows / second:.0f} rows/s, first "
        f"run {rows / first:.0f}, ratio {first / second:.1f}"
    )


def ratios(seconds: Seconds) -> str:
    """Rate of Spinelabel divided by the others', median over the rounds."""
    ratios_by_name = []
    for name in _ORDER:
        if name in seconds:
            pairs = zip(seconds[name], seconds[SPINELABEL], strict=True)
            ratios_by_name.append(
                f"{SPINELABEL}/{name}={statistics.median(a / b for a, b in pairs):.2f}"
            )
    return " ".join(ratios_by_name)
