"""Transient faults of a model server are retried; definite answers are cached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.job import State
from tests.waiting import WITHIN_S
from tests.worker.scripted_model import ScriptedModel, ScriptedServer, scripted_server
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.model.errors import ModelUnavailable

MODEL = ScriptedModel(labels=("crime", "travel"))
INTERNAL = grpc.StatusCode.INTERNAL


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.models = {1: MODEL}
        yield server


@pytest.fixture
def harness(tmp_path: Path, server: ScriptedServer) -> WorkerHarness:
    # Long enough for the third failure, after which a fault is attributed to the text.
    return WorkerHarness(tmp_path, server.target, model_retry_budget_s=WITHIN_S)


def retry(harness: WorkerHarness, job_id: str) -> State:
    """The state of the job after its waiting steps were enqueued and executed again."""
    harness.queue.plan(job_id)
    for chunk in harness.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        harness.queue.label(job_id, chunk)
    harness.work()
    return harness.store.jobs.get(job_id).state


def test_a_job_waits_while_the_model_fails_to_give_evidence(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    server.faults["evidence"].extend([INTERNAL] * 3)
    job = harness.run(catalogue(4), OptionalColumns(evidence=True))
    assert job.state is State.VALIDATING
    assert retry(harness, job.id) is State.COMPLETED


def test_whether_a_model_gives_evidence_is_asked_once_per_model(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    models = harness.services.models
    server.models = {1: ScriptedModel(labels=MODEL.labels, has_evidence=False)}
    for _ in range(3):
        assert not models.has_evidence(models.newest_usable())
    assert server.calls["evidence"] == 1
    server.models = {1: ScriptedModel(labels=MODEL.labels, export_id="another")}
    for _ in range(3):
        assert models.has_evidence(models.newest_usable())
    assert server.calls["evidence"] == 2


def test_a_job_waits_while_the_model_fails_to_describe_itself(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    server.faults["describe"].extend([INTERNAL] * 3)
    job = harness.run(catalogue(4))
    assert job.state is State.QUEUED
    assert retry(harness, job.id) is State.COMPLETED


def test_a_server_that_fails_at_every_text_causes_no_row_error(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    # All calls of one chunk: its batch, each of its halves and the probe, three times each.
    server.faults["serving_default"].extend([INTERNAL] * 12)
    job = harness.run(catalogue(3))
    assert job.state is State.IN_PROGRESS
    server.faults["serving_default"].clear()
    assert retry(harness, job.id) is State.COMPLETED
    assert harness.store.jobs.get(job.id).row_counts.failed == 0


def test_a_text_that_alone_makes_the_model_fail_is_a_row_error(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    server.rejections = {"dragon": INTERNAL}
    job = harness.run(b"id,summary\n1,a crime\n2,a dragon\n3,a travel\n")
    assert job.state is State.COMPLETED
    assert [row[8] for row in harness.result(job.id)[1:]] == ["", "MODEL_REJECTED", ""]


def test_a_fault_is_not_taken_for_a_missing_signature(
    harness: WorkerHarness, server: ScriptedServer
) -> None:
    server.faults["evidence"].extend([INTERNAL] * 3)
    models = harness.services.models
    with pytest.raises(ModelUnavailable):
        models.has_evidence(models.newest_usable())
    assert models.has_evidence(models.newest_usable())
