"""Short chaos and fuzz runs with real processes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos.faults.disk import damage
from benchmarks.chaos.observer import Fault
from benchmarks.chaos.report import Report, render, summary
from benchmarks.chaos.run import run as run_chaos
from benchmarks.fuzz.run import run as run_fuzz
from benchmarks.local_stack import build_tiny_model


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.mark.timeout(1800)
def test_a_few_faults_lose_nothing(tiny_models: Path) -> None:
    report = run_chaos(faults=4, seed=11, model_root=tiny_models, stall_s=240)
    assert report.violations == []
    assert len(report.faults) == 4
    assert report.jobs["completed"] > 3
    assert (report.lost_rows, report.wrong_rows) == (0, 0)
    assert report.rows > 1000


def test_a_few_hostile_catalogues_are_labelled_or_refused(tiny_models: Path) -> None:
    report = run_fuzz(catalogues=60, seed=12, model_root=tiny_models)
    assert report.violations == []
    assert report.uploads == 60
    assert report.states["completed"] > 20
    assert report.codes.total() > 5


def fault(kind: str, *, restored: float, resumed: float | None, repaired: float | None) -> Fault:
    result = Fault(kind, at=100.0, restored_at=restored, had_steps=repaired is not None)
    result.next_progress_at, result.steps_done_at = resumed, repaired
    return result


def test_the_report_has_a_row_per_fault_and_a_summary() -> None:
    faults = [
        fault("kill -9 redis", restored=102.0, resumed=103.5, repaired=104.0),
        fault("kill -9 redis", restored=101.0, resumed=100.5, repaired=117.5),
        fault("stop api", restored=101.0, resumed=101.5, repaired=None),
    ]
    report = Report(
        faults=faults, jobs=Counter(completed=7), rows=70, lost_rows=2, wrong_rows=1,
        violations=["j: 2 rows are missing"], skipped=["disk full (needs root)"],
        refused=Counter({503: 4}), seconds=9.0,
    )  # fmt: skip
    table = render(report)
    row = next(line for line in table.splitlines() if line.startswith("kill -9 redis"))
    assert row.split()[3:] == ["2", "0.8", "1.5", "9.2", "16.5"]
    assert "VIOLATED: j: 2 rows are missing" in table
    assert "skipped: disk full (needs root)" in table
    assert table.splitlines()[-1] == summary(report)
    assert "faults=3 jobs=7 lost_rows=2 wrong_rows=1 violations=1" in summary(report)
    assert summary(report).endswith("over_15_s=1")


@pytest.mark.parametrize("how", ["removed", "truncated", "altered"])
def test_a_damaged_file_differs(tmp_path: Path, how: str) -> None:
    path = tmp_path / "output"
    path.write_bytes(b"a,b\n")
    damage(path, how, random.Random(1))
    assert not path.exists() or path.read_bytes() != b"a,b\n"
