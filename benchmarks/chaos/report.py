"""The table of a chaos run and its last line."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chaos.observer import Fault

GOAL_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found."""

    faults: Sequence[Fault]
    jobs: Counter[str]
    rows: int
    lost_rows: int
    wrong_rows: int
    violations: Sequence[str]
    skipped: Sequence[str]  # kinds of fault that this machine does not allow, with the reason
    refused: Counter[int]
    seconds: float


def render(outcome: Outcome) -> str:
    """Table, notes and, last, the summary in one line."""
    lines = [f"{'fault':34}{'n':>5}{'next commit s':>18}{'step done again s':>20}"]
    lines.append(f"{'':34}{'':>5}{'median':>9}{'max':>9}{'median':>11}{'max':>9}")
    kinds = sorted({fault.kind for fault in outcome.faults})
    for kind in kinds:
        lines.append(_line(kind, [fault for fault in outcome.faults if fault.kind == kind]))
    lines.append(_line("all", outcome.faults))
    states = ", ".join(f"{count} {state}" for state, count in outcome.jobs.most_common())
    lines += [
        "",
        f"jobs: {sum(outcome.jobs.values())} ({states}) with {outcome.rows} rows in {outcome.seconds:.0f} s",
        "requests answered 'not now': "
        + (", ".join(f"{n} x {status}" for status, n in outcome.refused.items()) or "none"),
        *(f"skipped: {reason}" for reason in outcome.skipped),
        *_late_repairs(outcome.faults),
        *(f"VIOLATED: {violation}" for violation in outcome.violations),
    ]
    return "\n".join([*lines, "", summary(outcome)])


def summary(outcome: Outcome) -> str:
    """One line: faults, jobs, what was lost, how fast work went on."""
    repairs = [f.repair_s for f in outcome.faults if f.repair_s is not None]
    late = sum(seconds > GOAL_S for seconds in repairs)
    return (
        f"faults={len(outcome.faults)} jobs={sum(outcome.jobs.values())} lost_rows={outcome.lost_rows} "
        f"wrong_rows={outcome.wrong_rows} violations={len(outcome.violations)} "
        f"resume_median_s={_median(repairs)} resume_max_s={_max(repairs)} over_{GOAL_S:.0f}_s={late}"
    )


def _late_repairs(faults: Sequence[Fault]) -> Iterator[str]:
    """Which took longer than wanted, and what else was broken before they were done: each of that may begin them anew."""
    for fault in faults:
        if fault.repair_s is None or fault.repair_s <= GOAL_S:
            continue
        assert fault.steps_done_at is not None  # a repair has an end
        end = fault.steps_done_at
        others = [f for f in faults if fault.at < f.at < end]
        away_s = sum(min(f.back_at or end, end) - f.at for f in others)
        yield (
            f"late: {fault.kind} {fault.repair_s:.1f} s; meanwhile, with something away for {away_s:.1f} s: "
            + (", ".join(f.kind for f in others) or "nothing else")
        )


def _line(kind: str, faults: Sequence[Fault]) -> str:
    resumed = [f.resume_s for f in faults if f.resume_s is not None]
    repaired = [f.repair_s for f in faults if f.repair_s is not None]
    return (
        f"{kind:34}{len(faults):5}{_median(resumed):>9}{_max(resumed):>9}"
        f"{_median(repaired):>11}{_max(repaired):>9}"
    )


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f}" if values else "-"


def _max(values: Sequence[float]) -> str:
    return f"{max(values):.1f}" if values else "-"
