"""Short runs of the chaos harness and of the fuzz run, with real processes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.chaos.disk import spoil
from benchmarks.chaos.observer import Fault
from benchmarks.chaos.report import Outcome, render, summary
from benchmarks.chaos.run import run as run_chaos
from benchmarks.fuzz.run import run as run_fuzz
from benchmarks.local_stack import build_tiny_model


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.mark.timeout(1800)
def test_a_few_faults_lose_nothing(tiny_models: Path) -> None:
    outcome = run_chaos(faults=4, seed=11, model_root=tiny_models, stall_s=240)
    assert outcome.violations == []
    assert len(outcome.faults) == 4
    assert outcome.jobs["completed"] > 3
    assert (outcome.lost_rows, outcome.wrong_rows) == (0, 0)
    assert outcome.rows > 1000


def test_a_few_hostile_catalogues_come_back_whole_or_are_refused(tiny_models: Path) -> None:
    outcome = run_fuzz(catalogues=60, seed=12, model_root=tiny_models)
    assert outcome.violations == []
    assert outcome.uploads == 60
    assert outcome.states["completed"] > 20
    assert outcome.codes.total() > 5


def fault(kind: str, *, back: float, resumed: float | None, repaired: float | None) -> Fault:
    made = Fault(kind, at=100.0, back_at=back, had_steps=repaired is not None)
    made.next_progress_at, made.steps_done_at = resumed, repaired
    return made


def test_the_table_says_what_was_found() -> None:
    faults = [
        fault("kill -9 redis", back=102.0, resumed=103.5, repaired=104.0),
        fault("kill -9 redis", back=101.0, resumed=100.5, repaired=117.5),
        fault("stop api", back=101.0, resumed=101.5, repaired=None),
    ]
    outcome = Outcome(
        faults=faults, jobs=Counter(completed=7), rows=70, lost_rows=2, wrong_rows=1,
        violations=["j: 2 rows are missing"], skipped=["disk full (needs root)"], refused=Counter({503: 4}),
        seconds=9.0,
    )  # fmt: skip
    table = render(outcome)
    row = next(line for line in table.splitlines() if line.startswith("kill -9 redis"))
    assert row.split()[3:] == ["2", "0.8", "1.5", "9.2", "16.5"]
    assert "VIOLATED: j: 2 rows are missing" in table
    assert "skipped: disk full (needs root)" in table
    assert table.splitlines()[-1] == summary(outcome)
    assert "faults=3 jobs=7 lost_rows=2 wrong_rows=1 violations=1" in summary(outcome)
    assert summary(outcome).endswith("over_15_s=1")


@pytest.mark.parametrize("how", ["removed", "truncated", "altered"])
def test_a_spoilt_part_is_not_what_it_was(tmp_path: Path, how: str) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"a,b\n")
    spoil(part, how, random.Random(1))
    assert not part.exists() or part.read_bytes() != b"a,b\n"
