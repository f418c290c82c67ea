"""Another model under a version number that was used: no row is decided by the wrong description, none is mixed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.job import Failure, State
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.ports.label_requests import Answer
from jobs.ports.prediction_cache import MemoryPredictionCache
from jobs.ports.step_leases import PLAN
from tests.worker.scripted_model import Scripted, ScriptedServer, scripted_server
from tests.worker.tasks.test_label_request import ask
from tests.worker.worker_harness import Desk

BEFORE = Scripted(labels=("crime", "travel"), export_id="before")
# More labels, in another order: by the other's description its columns mean other genres.
AFTER = Scripted(labels=("cooking", "travel", "crime"), export_id="after")
CONTENT = "".join(
    ["id,summary\n", *(f"{n},a {('crime', 'travel')[n % 2]} x{'y' * n}\n" for n in range(10))]
).encode()
GENRES = ["crime", "travel"] * 5


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as script:
        script.models = {1: BEFORE}
        yield script


class CachingDesk(Desk):
    """A desk with a cache of labels, by a clock that the test moves."""

    def __init__(self, folder: Path, target: str) -> None:
        super().__init__(folder, target)
        self.now = 1_000_000.0
        self.store = memory_job_store(MemoryState(clock=lambda: self.now))
        cache = MemoryPredictionCache(max_entries=1000, ttl_s=3600, clock=lambda: self.now)
        self.services = replace(self.services, store=self.store, labels=cache)

    def genres(self, job_id: str) -> list[str]:
        assert self.store.jobs.get(job_id).state is State.COMPLETED
        header, *rows = self.result(job_id)
        return [row[header.index("predicted_genre")] for row in rows]

    def label(self) -> list[str]:
        """The genres that one more job finds, begun some time after the last."""
        self.now += 60
        return self.genres(self.run(CONTENT).id)


@pytest.fixture
def desk(tmp_path: Path, server: ScriptedServer) -> CachingDesk:
    return CachingDesk(tmp_path, server.target)


def test_the_next_job_is_decided_by_the_new_description(
    desk: CachingDesk, server: ScriptedServer
) -> None:
    assert desk.label() == GENRES
    server.models = {1: AFTER}
    assert desk.label() == GENRES
    header, first, *_ = desk.result(desk.store.jobs.newest(limit=1)[0].id)
    assert first[header.index("second_genre")] == "cooking"


def test_models_that_differ_in_their_export_only_do_not_share_a_cache(
    desk: CachingDesk, server: ScriptedServer
) -> None:
    desk.label()
    asked = server.calls["serving_default"]
    server.models = {1: replace(BEFORE, export_id="trained again")}
    desk.label()
    assert server.calls["serving_default"] == 2 * asked


@pytest.mark.parametrize("done", [0, 2])
def test_a_job_under_way_starts_over_with_the_new_model(
    desk: CachingDesk, server: ScriptedServer, done: int
) -> None:
    job_id = desk.submit(CONTENT)
    desk.work(
        until=lambda: desk.store.jobs.get(job_id).chunks_done == done and desk.has_planned(job_id)
    )
    pinned = desk.store.jobs.get(job_id).model
    server.models = {1: AFTER}
    desk.work()
    assert desk.genres(job_id) == GENRES
    model = desk.store.jobs.get(job_id).model
    assert model is not None
    assert pinned is not None
    assert (model.version, pinned.version) == (1, 1)
    assert model.digest != pinned.digest
    assert {row[4] for row in desk.result(job_id)[1:]} <= {"cooking", "travel", "second_genre"}


def test_a_model_that_is_replaced_within_a_chunk_leaves_neither_labels_nor_cache_entries(
    desk: CachingDesk, server: ScriptedServer
) -> None:
    def swap() -> None:
        server.models = {1: AFTER}

    server.after_prediction = swap
    assert desk.label() == GENRES
    model = desk.store.jobs.newest(limit=1)[0].model
    assert model is not None
    assert model.digest == desk.services.models.describe(1).description.digest
    server.models, server.after_prediction = {1: BEFORE}, lambda: None
    before = server.calls["serving_default"]
    assert desk.label() == GENRES
    # Nothing of what the first model said before it was replaced has been kept.
    assert server.calls["serving_default"] == before + 4


def test_a_cache_hit_is_not_served_when_its_model_is_gone(
    desk: CachingDesk, server: ScriptedServer
) -> None:
    desk.label()
    desk.now += 60
    job_id = desk.submit(CONTENT)
    desk.work(until=lambda: desk.has_planned(job_id))
    server.models = {1: AFTER}
    desk.work()
    assert desk.genres(job_id) == GENRES
    header, first, *_ = desk.result(job_id)
    assert first[header.index("second_genre")] == "cooking"


@pytest.mark.parametrize("models", [{1: AFTER}, {2: AFTER}], ids=["replaced", "withdrawn"])
def test_a_job_whose_model_is_gone_before_its_first_chunk_does_not_wait_for_it(
    desk: CachingDesk, server: ScriptedServer, models: dict[int, Scripted]
) -> None:
    job_id = desk.submit(CONTENT)
    claim = desk.store.leases.claim(job_id, PLAN, lease_s=1.0)
    assert claim is not None
    # A planner that pinned the model and ended there.
    desk.store.chunks.begin_planning(claim, model=desk.services.models.newest_usable().pinned)
    desk.store.leases.release(claim)
    server.models = models
    desk.work()
    assert desk.genres(job_id) == GENRES
    assert desk.store.jobs.get(job_id).model_version in models


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_starts_over_when_the_new_model_is_not_one_of_ours(
    desk: CachingDesk, server: ScriptedServer, fails: bool
) -> None:
    server.models = {1: BEFORE, 2: BEFORE}
    job_id = desk.submit(CONTENT)
    desk.work(until=lambda: desk.has_planned(job_id))
    server.models = {1: BEFORE, 2: Scripted(labels=("one",), fails=fails)}
    desk.work()
    assert desk.genres(job_id) == GENRES
    assert desk.store.jobs.get(job_id).model_version == 1


def test_a_question_is_not_answered_by_two_models(
    desk: CachingDesk, server: ScriptedServer
) -> None:
    def swap() -> None:
        server.models = {1: AFTER}

    server.after_prediction = swap
    refused = ask(desk, "a crime")
    assert isinstance(refused, Failure)
    assert refused.code == "MODEL_UNAVAILABLE"
    answer = ask(desk, "a crime")
    assert isinstance(answer, Answer)
    assert [getattr(label, "genre", None) for label in answer.outcomes] == ["crime"]
