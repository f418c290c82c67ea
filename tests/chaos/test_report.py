"""The report of a chaos run says what it would be blamed for."""

from __future__ import annotations

from collections import Counter

from benchmarks.chaos.observer import Fault
from benchmarks.chaos.report import Outcome, render


def fault(kind: str, at: float, done_at: float | None) -> Fault:
    return Fault(kind, at, back_at=at, had_steps=done_at is not None, steps_done_at=done_at)


def test_a_late_repair_is_listed_with_what_was_broken_meanwhile() -> None:
    faults = [
        fault("kill -9 worker", 0.0, 14.0),
        fault("disk full", 20.0, 36.5),
        fault("stop redis", 25.0, None),
        fault("kill -9 serving", 30.0, 33.0),
        fault("clock moved", 40.0, 56.0),
    ]
    text = render(
        Outcome(
            faults=faults, jobs=Counter(completed=3), rows=9, lost_rows=0, wrong_rows=0,
            violations=[], skipped=[], refused=Counter(), seconds=60.0,
        )
    )  # fmt: skip
    late = [line for line in text.splitlines() if line.startswith("late: ")]
    assert late == [
        "late: disk full 16.5 s; meanwhile: stop redis, kill -9 serving",
        "late: clock moved 16.0 s; meanwhile: nothing else",
    ]
    assert text.splitlines()[-1].endswith("resume_max_s=16.5 over_15_s=2")
