"""The report of a chaos run: a table, notes and a summary line."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chaos.observer import Fault

TARGET_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """The results of a run."""

    faults: Sequence[Fault]
    jobs: Counter[str]
    rows: int
    lost_rows: int
    wrong_rows: int
    violations: Sequence[str]
    skipped: Sequence[str]  # faults that are not possible on this machine, with the reason
    refused: Counter[int]  # requests by status
    seconds: float


def render(report: Report) -> str:
    """The table, notes, and the summary as the last line."""
    lines = [f"{'fault':36}{'n':>5}{'next commit s':>18}{'step done again s':>20}"]
    lines.append(f"{'':36}{'':>5}{'median':>9}{'max':>9}{'median':>11}{'max':>9}")
    kinds = sorted({fault.kind for fault in report.faults})
    for kind in kinds:
        lines.append(_line(kind, [fault for fault in report.faults if fault.kind == kind]))
    lines.append(_line("all", report.faults))
    states = ", ".join(f"{count} {state}" for state, count in report.jobs.most_common())
    lines += [
        "",
        f"jobs: {sum(report.jobs.values())} ({states}) with {report.rows} rows in "
        f"{report.seconds:.0f} s",
        "refused requests: "
        + (", ".join(f"{n} x {status}" for status, n in report.refused.items()) or "none"),
        *(f"skipped: {reason}" for reason in report.skipped),
        *_late_repairs(report.faults),
        *(f"VIOLATED: {violation}" for violation in report.violations),
    ]
    return "\n".join([*lines, "", summary(report)])


def summary(report: Report) -> str:
    """One line: faults, jobs, lost rows, time to resume."""
    repairs = [f.repair_s for f in report.faults if f.repair_s is not None]
    late = sum(seconds > TARGET_S for seconds in repairs)
    return (
        f"faults={len(report.faults)} jobs={sum(report.jobs.values())} "
        f"lost_rows={report.lost_rows} "
        f"wrong_rows={report.wrong_rows} violations={len(report.violations)} "
        f"resume_median_s={_median(repairs)} resume_max_s={_max(repairs)} "
        f"over_{TARGET_S:.0f}_s={late}"
    )


def _late_repairs(faults: Sequence[Fault]) -> Iterator[str]:
    """Repairs above the target, with the faults during them, each of which may repeat steps."""
    for fault in faults:
        if fault.repair_s is None or fault.repair_s <= TARGET_S:
            continue
        assert fault.steps_done_at is not None  # it has a repair time
        end = fault.steps_done_at
        others = [f for f in faults if fault.at < f.at < end]
        faulty_s = sum(min(f.restored_at or end, end) - f.at for f in others)
        yield (
            f"late: {fault.kind} {fault.repair_s:.1f} s; other faults during {faulty_s:.1f} s of "
            "it: " + (", ".join(f.kind for f in others) or "none")
        )


def _line(kind: str, faults: Sequence[Fault]) -> str:
    resumed = [f.resume_s for f in faults if f.resume_s is not None]
    repaired = [f.repair_s for f in faults if f.repair_s is not None]
    return (
        f"{kind:36}{len(faults):5}{_median(resumed):>9}{_max(resumed):>9}"
        f"{_median(repaired):>11}{_max(repaired):>9}"
    )


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f}" if values else "-"


def _max(values: Sequence[float]) -> str:
    return f"{max(values):.1f}" if values else "-"
