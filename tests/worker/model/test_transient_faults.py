"""A model server's passing fault is asked about again later; what it says for certain is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.job import State
from tests.waiting import WITHIN_S
from tests.worker.scripted_model import Scripted, ScriptedServer, scripted_server
from tests.worker.worker_harness import Desk, catalogue
from worker.model.errors import ModelUnavailable

MODEL = Scripted(labels=("crime", "travel"))
INTERNAL = grpc.StatusCode.INTERNAL


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as script:
        script.models = {1: MODEL}
        yield script


@pytest.fixture
def desk(tmp_path: Path, server: ScriptedServer) -> Desk:
    # Long enough for the third failure, after which a fault counts as the text's, on any machine.
    return Desk(tmp_path, server.target, model_retry_budget_s=WITHIN_S)


def again(desk: Desk, job_id: str) -> State:
    """The state after a step that waited has been enqueued again."""
    desk.messages.plan(job_id)
    for chunk in desk.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        desk.messages.label(job_id, chunk)
    desk.work()
    return desk.store.jobs.get(job_id).state


def test_a_job_with_evidence_waits_for_a_model_that_fails_to_give_it_and_ends_well(
    desk: Desk, server: ScriptedServer
) -> None:
    server.faults["evidence"].extend([INTERNAL] * 3)
    job = desk.run(catalogue(4), OptionalColumns(evidence=True))
    assert job.state is State.VALIDATING
    assert again(desk, job.id) is State.COMPLETED


def test_what_a_model_says_of_its_evidence_is_asked_once_and_of_another_model_again(
    desk: Desk, server: ScriptedServer
) -> None:
    models = desk.services.models
    server.models = {1: Scripted(labels=MODEL.labels, gives_evidence=False)}
    for _ in range(3):
        assert not models.gives_evidence(models.newest_usable())
    assert server.calls["evidence"] == 1
    server.models = {1: Scripted(labels=MODEL.labels, export_id="another")}
    for _ in range(3):
        assert models.gives_evidence(models.newest_usable())
    assert server.calls["evidence"] == 2


def test_a_fault_of_the_description_makes_a_job_wait_and_not_fail(
    desk: Desk, server: ScriptedServer
) -> None:
    server.faults["describe"].extend([INTERNAL] * 3)
    job = desk.run(catalogue(4))
    assert job.state is State.QUEUED
    assert again(desk, job.id) is State.COMPLETED


def test_a_server_that_fails_at_every_text_puts_no_row_in_error(
    desk: Desk, server: ScriptedServer
) -> None:
    # As many as one chunk meets: its batch, each of its halves, and the probe, three times each.
    server.faults["serving_default"].extend([INTERNAL] * 12)
    job = desk.run(catalogue(3))
    assert job.state is State.IN_PROGRESS
    server.faults["serving_default"].clear()
    assert again(desk, job.id) is State.COMPLETED
    assert desk.store.jobs.get(job.id).row_counts.failed == 0


def test_a_text_at_which_alone_the_model_fails_is_a_row_in_error(
    desk: Desk, server: ScriptedServer
) -> None:
    server.refused = {"dragon": INTERNAL}
    job = desk.run(b"id,summary\n1,a crime\n2,a dragon\n3,a travel\n")
    assert job.state is State.COMPLETED
    assert [row[8] for row in desk.result(job.id)[1:]] == ["", "MODEL_REJECTED", ""]


def test_a_fault_is_unavailability_and_no_missing_signature(
    desk: Desk, server: ScriptedServer
) -> None:
    server.faults["evidence"].extend([INTERNAL] * 3)
    models = desk.services.models
    with pytest.raises(ModelUnavailable):
        models.gives_evidence(models.newest_usable())
    assert models.gives_evidence(models.newest_usable())
