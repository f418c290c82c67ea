"""A version number is reused for another model: no row is labelled with the wrong description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.job import Failure, State
from jobs.memory.prediction_cache import MemoryPredictionCache
from jobs.ports.label_requests import LabelResponse
from jobs.ports.record.step_leases import PLAN
from tests.worker.scripted_model import ScriptedModel, ScriptedServer, scripted_server
from tests.worker.worker_harness import WorkerHarness

BEFORE = ScriptedModel(labels=("crime", "travel"), export_id="before")
# More labels in another order: with the other description its columns are other genres.
AFTER = ScriptedModel(labels=("cooking", "travel", "crime"), export_id="after")
CONTENT = "".join(
    ["id,summary\n", *(f"{n},a {('crime', 'travel')[n % 2]} x{'y' * n}\n" for n in range(10))]
).encode()
GENRES = ["crime", "travel"] * 5


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.models = {1: BEFORE}
        yield server


class CachingHarness(WorkerHarness):
    """A harness with a prediction cache."""

    def __init__(self, folder: Path, target: str) -> None:
        super().__init__(folder, target)
        self.use(cache=MemoryPredictionCache(max_entries=1000, ttl_s=3600, clock=lambda: self.now))

    def genres(self, job_id: str) -> list[str]:
        assert self.store.jobs.get(job_id).state is State.COMPLETED
        header, *rows = self.result(job_id)
        return [row[header.index("predicted_genre")] for row in rows]

    def label(self) -> list[str]:
        """The genres of one more job, a minute after the last one."""
        self.now += 60
        return self.genres(self.run(CONTENT).id)


@pytest.fixture
def harness(tmp_path: Path, server: ScriptedServer) -> CachingHarness:
    return CachingHarness(tmp_path, server.target)


def test_the_next_job_uses_the_new_description(
    harness: CachingHarness, server: ScriptedServer
) -> None:
    assert harness.label() == GENRES
    server.models = {1: AFTER}
    assert harness.label() == GENRES
    header, first, *_ = harness.result(harness.store.jobs.newest(limit=1)[0].id)
    assert first[header.index("second_genre")] == "cooking"


def test_models_that_differ_in_their_export_only_share_no_cache_entries(
    harness: CachingHarness, server: ScriptedServer
) -> None:
    harness.label()
    calls = server.calls["serving_default"]
    server.models = {1: replace(BEFORE, export_id="trained again")}
    harness.label()
    assert server.calls["serving_default"] == 2 * calls


@pytest.mark.parametrize("done", [0, 2])
def test_a_job_in_progress_restarts_with_the_new_model(
    harness: CachingHarness, server: ScriptedServer, done: int
) -> None:
    job_id = harness.submit(CONTENT)
    harness.work(
        until=lambda: (
            harness.store.jobs.get(job_id).chunks_done == done and harness.has_planned(job_id)
        )
    )
    pinned = harness.store.jobs.get(job_id).model
    server.models = {1: AFTER}
    harness.work()
    assert harness.genres(job_id) == GENRES
    model = harness.store.jobs.get(job_id).model
    assert model is not None
    assert pinned is not None
    assert (model.version, pinned.version) == (1, 1)
    assert model.digest != pinned.digest
    assert {row[4] for row in harness.result(job_id)[1:]} <= {"cooking", "travel", "second_genre"}


def test_a_model_replaced_during_a_chunk_leaves_neither_labels_nor_cache_entries(
    harness: CachingHarness, server: ScriptedServer
) -> None:
    def swap() -> None:
        server.models = {1: AFTER}

    server.after_prediction = swap
    assert harness.label() == GENRES
    model = harness.store.jobs.newest(limit=1)[0].model
    assert model is not None
    assert model.digest == harness.services.models.describe(1).description.digest
    server.models, server.after_prediction = {1: BEFORE}, lambda: None
    before = server.calls["serving_default"]
    assert harness.label() == GENRES
    # No prediction of the first model from before its replacement is cached.
    assert server.calls["serving_default"] == before + 4


def test_a_cache_entry_of_a_replaced_model_is_not_used(
    harness: CachingHarness, server: ScriptedServer
) -> None:
    harness.label()
    harness.now += 60
    job_id = harness.submit(CONTENT)
    harness.work(until=lambda: harness.has_planned(job_id))
    server.models = {1: AFTER}
    harness.work()
    assert harness.genres(job_id) == GENRES
    header, first, *_ = harness.result(job_id)
    assert first[header.index("second_genre")] == "cooking"


@pytest.mark.parametrize("models", [{1: AFTER}, {2: AFTER}], ids=["replaced", "withdrawn"])
def test_a_job_whose_model_is_gone_before_its_first_chunk_restarts_with_another(
    harness: CachingHarness, server: ScriptedServer, models: dict[int, ScriptedModel]
) -> None:
    job_id = harness.submit(CONTENT)
    claim = harness.store.leases.claim(job_id, PLAN, lease_s=1.0)
    assert claim is not None
    # A planning step that pinned the model and was then interrupted.
    harness.store.chunks.begin_planning(claim, model=harness.services.models.newest_usable().pinned)
    harness.store.leases.release(claim)
    server.models = models
    harness.work()
    assert harness.genres(job_id) == GENRES
    assert harness.store.jobs.get(job_id).model_version in models


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_restarts_with_an_older_version_if_the_new_model_is_unusable(
    harness: CachingHarness, server: ScriptedServer, fails: bool
) -> None:
    server.models = {1: BEFORE, 2: BEFORE}
    job_id = harness.submit(CONTENT)
    harness.work(until=lambda: harness.has_planned(job_id))
    server.models = {1: BEFORE, 2: ScriptedModel(labels=("one",), fails=fails)}
    harness.work()
    assert harness.genres(job_id) == GENRES
    assert harness.store.jobs.get(job_id).model_version == 1


def test_a_label_request_is_not_answered_by_two_models(
    harness: CachingHarness, server: ScriptedServer
) -> None:
    def swap() -> None:
        server.models = {1: AFTER}

    server.after_prediction = swap
    failure = harness.label_now("a crime")
    assert isinstance(failure, Failure)
    assert failure.code == "MODEL_UNAVAILABLE"
    response = harness.label_now("a crime")
    assert isinstance(response, LabelResponse)
    assert [getattr(label, "genre", None) for label in response.outcomes] == ["crime"]
