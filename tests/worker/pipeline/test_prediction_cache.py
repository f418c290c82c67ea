"""What was labelled before is not asked again, and comes out byte for byte as it did."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from jobs.files.storage import result_path
from jobs.memory.job_store import memory_job_store
from jobs.memory.state import MemoryState
from jobs.ports.prediction_cache import MemoryPredictionCache, PredictionCache
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.serving.server_process import status_of
from tests.waiting import WITHIN_S, eventually
from tests.worker.conftest import build_model, serve
from tests.worker.tasks.test_label_request import ask
from tests.worker.worker_harness import Desk, catalogue
from worker.model.channel import ModelChannel
from worker.model.client import ModelClient, PredictionFuture, Probabilities
from worker.model.registry import ModelRegistry
from worker.protos.tensorflow_serving.apis import get_model_status_pb2

States = get_model_status_pb2.ModelVersionStatus


class CountingClient(ModelClient):
    """The real client, with a tally of the texts that were sent."""

    asked: list[str]

    def submit(self, version: int, texts: Sequence[str]) -> PredictionFuture[Probabilities]:
        self.asked += texts
        return super().submit(version, texts)


class RememberingDesk(Desk):
    """A desk with a cache of labels, whose clock stands still until it is moved."""

    def __init__(self, folder: Path, target: str, labels: PredictionCache | None = None) -> None:
        super().__init__(folder, target)
        self.now = 1_000_000.0
        self.store = memory_job_store(MemoryState(clock=lambda: self.now))
        self.model = CountingClient(target, "genre", deadline_s=WITHIN_S, retry_for_s=0.3)
        self.model.asked = []
        labels = labels or MemoryPredictionCache(
            max_entries=1000, ttl_s=3600, clock=lambda: self.now
        )
        models = ModelRegistry(self.model)
        self.services = replace(self.services, store=self.store, models=models, labels=labels)

    def label(self, content: bytes, *, owner: str | None = None) -> bytes:
        """The result of one more job, begun some time after the last."""
        self.now += 60
        job = self.run(content, owner=owner)
        return self.storage.read_range(result_path(job.id), 0, 1 << 30)


@pytest.fixture
def desk(tmp_path: Path, tiny_model_target: str) -> RememberingDesk:
    return RememberingDesk(tmp_path, tiny_model_target)


def test_the_same_catalogue_again_asks_the_model_nothing_and_gives_the_same_bytes(
    desk: RememberingDesk,
) -> None:
    first = desk.label(catalogue(10))
    desk.model.asked.clear()
    assert desk.label(catalogue(10)) == first
    assert desk.model.asked == []


def test_only_new_rows_are_asked_and_old_ones_keep_their_bytes(desk: RememberingDesk) -> None:
    desk.label(catalogue(10))
    desk.model.asked.clear()
    more = desk.label(catalogue(10) + b"10,a dragon and a wizard\n")
    assert desk.model.asked == ["dragon wizard"]
    # Against a worker that remembers nothing.
    desk.services = replace(desk.services, labels=MemoryPredictionCache(max_entries=10, ttl_s=1))
    assert desk.label(catalogue(10) + b"10,a dragon and a wizard\n") == more


def test_a_job_does_not_see_what_was_remembered_after_it_began(desk: RememberingDesk) -> None:
    # Otherwise its batches, and with them last digits, would depend on how fast its neighbours are.
    early = desk.submit(catalogue(10))
    desk.messages.sent.clear()
    desk.label(catalogue(10))
    desk.model.asked.clear()
    desk.messages.plan(early)
    desk.work()
    assert len(desk.model.asked) > 0


def test_another_model_under_the_same_number_is_asked_itself(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = b"id,summary\n1,a crime\n2,some cooking\n"
    folder = tmp_path_factory.mktemp("reused")
    with serve(folder, CLEANING_FINGERPRINT, "1", labels=("crime", "travel")) as target:
        desk = RememberingDesk(tmp_path, target)
        desk.label(content)
        # The documented way to take a model back, and another tool that counts from there.
        shutil.rmtree(folder / "genre" / "1")
        channel = ModelChannel(target)
        eventually(lambda: status_of(channel, 1).state == States.END)
        channel.close()
        labels = ("cooking", "crime", "travel")
        build_model(folder / "genre", "1", fingerprint=CLEANING_FINGERPRINT, labels=labels)
        desk.model.asked.clear()
        result = desk.label(content).decode().splitlines()
    assert set(desk.model.asked) == {"crime", "cooking"}
    assert [line.split(",")[2] for line in result[1:]] == ["crime", "cooking"]


def test_what_one_owner_has_had_labelled_makes_no_difference_to_another(
    desk: RememberingDesk,
) -> None:
    # Its time would tell: a guess that is answered at once has been asked before.
    first = desk.label(catalogue(10), owner="anna")
    asked = list(desk.model.asked)
    desk.model.asked.clear()
    assert desk.label(catalogue(10), owner="ben") == first
    assert desk.model.asked == asked
    desk.model.asked.clear()
    assert desk.label(catalogue(10), owner="anna") == first
    assert desk.model.asked == []


def test_an_answer_at_once_knows_what_its_owner_alone_has_had_labelled(
    desk: RememberingDesk,
) -> None:
    desk.label(b"id,summary\n1,a murder\n", owner="anna")
    desk.model.asked.clear()
    for owner in ("ben", None):
        ask(desk, "a murder", owner=owner)
    assert desk.model.asked == ["murder", "murder"]
    ask(desk, "a murder", owner="anna")
    assert desk.model.asked == ["murder", "murder"]


def test_rejected_texts_are_asked_again(desk: RememberingDesk) -> None:
    content = b"id,summary\n1,the poisonword\n2,a murder\n"
    first = desk.label(content)
    desk.model.asked.clear()
    assert desk.label(content) == first
    assert set(desk.model.asked) == {"poisonword"}


def test_a_cache_that_is_away_changes_nothing(tmp_path: Path, tiny_model_target: str) -> None:
    away = RedisPredictionCache("redis://127.0.0.1:1/0", max_entries=100, ttl_s=60)
    without = Desk(tmp_path / "a", tiny_model_target)
    expected = without.run(catalogue(10))
    desk = RememberingDesk(tmp_path / "b", tiny_model_target, away)
    result = desk.label(catalogue(10))
    assert result == without.storage.read_range(result_path(expected.id), 0, 1 << 30)


class CuttingCache(MemoryPredictionCache):
    """Gives back less than was put."""

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        return {key: value[:-4] for key, value in super().get(keys, before=before).items()}


def test_a_value_of_another_shape_is_not_used(tmp_path: Path, tiny_model_target: str) -> None:
    cache = CuttingCache(max_entries=1000, ttl_s=3600, clock=lambda: 1_000_000.0)
    desk = RememberingDesk(tmp_path, tiny_model_target, cache)
    first = desk.label(catalogue(3))
    asked = list(desk.model.asked)
    assert desk.label(catalogue(3)) == first
    assert desk.model.asked == asked * 2


def test_in_redis_the_same_catalogue_again_gives_the_same_bytes(
    tmp_path: Path, tiny_model_target: str, redis_url: str
) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=1000, ttl_s=3600)
    desk = RememberingDesk(tmp_path, tiny_model_target, cache)
    desk.now = 4_000_000_000.0  # by this job's clock everything was put before
    first = desk.label(catalogue(10))
    desk.model.asked.clear()
    assert desk.label(catalogue(10)) == first
    assert desk.model.asked == []


class RecordingCache(MemoryPredictionCache):
    """Shows what was put."""

    put_so_far: dict[bytes, bytes]

    def put(self, values: Mapping[bytes, bytes]) -> None:
        self.put_so_far.update(values)
        super().put(values)


def test_floats_survive_exactly(tmp_path: Path, tiny_model_target: str) -> None:
    cache = RecordingCache(max_entries=1000, ttl_s=3600)
    cache.put_so_far = {}
    desk = RememberingDesk(tmp_path, tiny_model_target, cache)
    desk.label(catalogue(10))
    rows = [np.frombuffer(value, "<f4") for value in cache.put_so_far.values()]
    texts = list(dict.fromkeys(desk.model.asked))
    fresh = desk.model.submit(1, texts).result()
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in fresh}


def test_a_catalogue_that_comes_again_is_cut_into_larger_chunks_for_the_same_bytes(
    desk: RememberingDesk,
) -> None:
    first = desk.run(catalogue(40))
    desk.now += 60
    again = desk.run(catalogue(40))
    assert (first.chunks, again.chunks) == (14, 4)
    results = [desk.storage.read_range(result_path(job.id), 0, 1 << 30) for job in (first, again)]
    assert results[0] == results[1]


def test_a_catalogue_with_many_new_rows_is_cut_as_ever(desk: RememberingDesk) -> None:
    desk.run(catalogue(3))
    desk.now += 60
    assert desk.run(catalogue(40)).chunks == 14
