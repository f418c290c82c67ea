"""Planning: chunk sizes, the choice of the model, missing input."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.files.storage import input_path
from jobs.job import State
from jobs.ports.record.step_leases import PLAN
from tests.waiting import eventually
from tests.worker.conftest import build_model
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.tasks.plan import chunk_bytes


@pytest.mark.parametrize("size", [250_000, 3_000_000, 4_000_001, 10_000_000])
def test_the_number_of_chunks_is_even_and_none_is_longer_than_the_maximum(size: int) -> None:
    longest = chunk_bytes(size, 2_000_000)
    assert longest <= 2_000_000
    assert -(-size // longest) % 2 == 0


@pytest.mark.parametrize("size", [996_000_001, 999_999_999])
def test_a_huge_file_has_at_most_two_chunks_more_than_necessary(size: int) -> None:
    longest = chunk_bytes(size, 2_000_000)
    assert longest <= 2_000_000
    fewest = -(-size // 2_000_000)
    assert fewest <= -(-size // longest) <= fewest + 2


def test_a_small_file_is_one_chunk() -> None:
    assert chunk_bytes(200_000, 2_000_000) == 2_000_000


def test_a_file_that_kills_every_planning_worker_fails_the_job(
    tmp_path: Path, tiny_model_target: str
) -> None:
    harness = WorkerHarness(tmp_path, tiny_model_target, max_attempts=2)
    job_id = harness.submit(catalogue(4))
    for _ in range(2):  # workers that die during the step
        assert harness.store.leases.claim(job_id, PLAN, lease_s=1) is not None
        harness.now += 2
    harness.work()
    job = harness.store.jobs.get(job_id)
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "PLANNING_FAILED"


def test_a_job_waits_for_the_model_server_and_the_attempt_is_not_counted(
    tmp_path: Path,
) -> None:
    harness = WorkerHarness(tmp_path, "127.0.0.1:1")
    job_id = harness.submit(catalogue(3))
    harness.work()
    assert harness.store.jobs.get(job_id).state is State.QUEUED
    claim = harness.store.leases.claim(job_id, "plan", lease_s=1)
    assert claim is not None
    assert claim.attempt == 1


def test_a_model_with_other_cleaning_rules_fails_the_job(
    tmp_path: Path, foreign_model_target: str
) -> None:
    job = WorkerHarness(tmp_path, foreign_model_target).run(catalogue(3))
    assert job.state is State.FAILED
    assert job.failure is not None
    assert job.failure.code == "MODEL_MISMATCH"


def test_a_missing_input_fails_the_job(harness: WorkerHarness) -> None:
    job_id = harness.submit(catalogue(3))
    harness.storage.delete(input_path(job_id))
    harness.work()
    failure = harness.store.jobs.get(job_id).failure
    assert failure is not None
    assert failure.code == "INPUT_MISSING"


def test_an_unusable_newer_version_is_skipped(
    tmp_path: Path, two_versions: tuple[str, Path]
) -> None:
    target, models = two_versions
    build_model(models, "3", fingerprint="0" * 64)
    harness = WorkerHarness(tmp_path, target)
    eventually(lambda: harness.services.models.client.versions()[0] == 3)
    job = harness.run(catalogue(3))
    assert (job.state, job.model_version) == (State.COMPLETED, 2)
