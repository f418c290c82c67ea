"""The report of a chaos run lists late repairs."""

from __future__ import annotations

from collections import Counter

from benchmarks.chaos.observer import Fault
from benchmarks.chaos.report import Report, render


def fault(kind: str, at: float, done_at: float | None, *, restored_after_s: float = 0.0) -> Fault:
    had_steps = done_at is not None
    return Fault(
        kind, at, restored_at=at + restored_after_s, had_steps=had_steps, steps_done_at=done_at
    )


def test_a_late_repair_is_listed_with_the_faults_during_it() -> None:
    faults = [
        fault("kill -9 worker", 0.0, 14.0),
        fault("disk full", 20.0, 36.5),
        fault("stop redis", 25.0, None, restored_after_s=2.0),
        fault("kill -9 serving", 34.0, 47.0, restored_after_s=10.0),
        fault("clock moved", 50.0, 66.0),
    ]
    text = render(
        Report(
            faults=faults, jobs=Counter(completed=3), rows=9, lost_rows=0, wrong_rows=0,
            violations=[], skipped=[], refused=Counter(), seconds=60.0,
        )
    )  # fmt: skip
    late = [line for line in text.splitlines() if line.startswith("late: ")]
    assert late == [
        "late: disk full 16.5 s; other faults during 4.5 s of it: stop redis, kill -9 serving",
        "late: clock moved 16.0 s; other faults during 0.0 s of it: none",
    ]
    assert text.splitlines()[-1].endswith("resume_max_s=16.5 over_15_s=2")
