"""Cached predictions skip the model and give the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from jobs.files.storage import result_path
from jobs.memory.prediction_cache import MemoryPredictionCache
from jobs.ports.prediction_cache import PredictionCache
from jobs.redis.prediction_cache import RedisPredictionCache
from tests.serving.server_process import status_of
from tests.waiting import WITHIN_S, eventually
from tests.worker.conftest import build_model, serve
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.model.channel import ModelChannel
from worker.model.client import ModelClient, PredictionFuture, Probabilities
from worker.model.registry import ModelRegistry
from worker.protos.tensorflow_serving.apis import get_model_status_pb2

States = get_model_status_pb2.ModelVersionStatus


class CountingClient(ModelClient):
    """The real client; records the texts that were sent."""

    texts: list[str]

    def submit(self, version: int, texts: Sequence[str]) -> PredictionFuture[Probabilities]:
        self.texts += texts
        return super().submit(version, texts)


class CachingHarness(WorkerHarness):
    """A harness with a prediction cache, and a client that records the texts."""

    def __init__(self, folder: Path, target: str, cache: PredictionCache | None = None) -> None:
        super().__init__(folder, target)
        self.model = CountingClient(target, "genre", deadline_s=WITHIN_S, retry_for_s=0.3)
        self.model.texts = []
        cache = cache or MemoryPredictionCache(max_entries=1000, ttl_s=3600, clock=lambda: self.now)
        self.use(cache=cache)
        self.services = replace(self.services, models=ModelRegistry(self.model))

    def label(self, content: bytes, *, owner: str | None = None) -> bytes:
        """The result of one more job, a minute after the last one."""
        self.now += 60
        job = self.run(content, owner=owner)
        return self.storage.read_range(result_path(job.id), 0, 1 << 30)


@pytest.fixture
def harness(tmp_path: Path, tiny_model_target: str) -> CachingHarness:
    return CachingHarness(tmp_path, tiny_model_target)


def test_a_repeated_catalogue_skips_the_model_and_gives_the_same_bytes(
    harness: CachingHarness,
) -> None:
    first = harness.label(catalogue(10))
    harness.model.texts.clear()
    assert harness.label(catalogue(10)) == first
    assert harness.model.texts == []


def test_a_row_in_another_language_is_neither_sent_to_the_model_nor_cached(
    harness: CachingHarness,
) -> None:
    german = "Die Tochter des Müllers und der Drache, der ihr das Leben rettet."
    content = f'id,summary\n1,a dragon and a wizard\n2,"{german}"\n'.encode()
    first = harness.label(content)
    assert harness.model.texts == ["dragon wizard"]
    assert b",true,UNSUPPORTED_LANGUAGE,de" in first
    assert harness.label(content) == first
    assert harness.model.texts == ["dragon wizard"]


def test_only_new_rows_are_sent_to_the_model(harness: CachingHarness) -> None:
    harness.label(catalogue(10))
    harness.model.texts.clear()
    more = harness.label(catalogue(10) + b"10,a dragon and a wizard\n")
    assert harness.model.texts == ["dragon wizard"]
    # Compared with an empty cache.
    harness.services = replace(
        harness.services, prediction_cache=MemoryPredictionCache(max_entries=10, ttl_s=1)
    )
    assert harness.label(catalogue(10) + b"10,a dragon and a wizard\n") == more


def test_a_job_does_not_use_entries_put_after_its_start(harness: CachingHarness) -> None:
    # Otherwise its batches, and so the last digits, would depend on the speed of other jobs.
    early = harness.submit(catalogue(10))
    harness.queue.sent.clear()
    harness.label(catalogue(10))
    harness.model.texts.clear()
    harness.queue.plan(early)
    harness.work()
    assert len(harness.model.texts) > 0


def test_another_model_with_the_same_version_number_uses_no_entries_of_the_first(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = b"id,summary\n1,a crime\n2,some cooking\n"
    folder = tmp_path_factory.mktemp("reused")
    with serve(folder, CLEANING_FINGERPRINT, "1", labels=("crime", "travel")) as target:
        harness = CachingHarness(tmp_path, target)
        harness.label(content)
        # The documented way to withdraw a model, then a tool that reuses its number.
        shutil.rmtree(folder / "genre" / "1")
        channel = ModelChannel(target)
        eventually(lambda: status_of(channel, 1).state == States.END)
        labels = ("cooking", "crime", "travel")
        build_model(folder / "genre", "1", fingerprint=CLEANING_FINGERPRINT, labels=labels)
        # Until then the job would be planned later, and this harness plans once.
        eventually(lambda: status_of(channel, 1).state == States.AVAILABLE)
        channel.close()
        harness.model.texts.clear()
        result = harness.label(content).decode().splitlines()
    assert set(harness.model.texts) == {"crime", "cooking"}
    assert [line.split(",")[2] for line in result[1:]] == ["crime", "cooking"]


def test_owners_share_no_entries(
    harness: CachingHarness,
) -> None:
    # The response time would reveal which texts another owner has had labelled.
    first = harness.label(catalogue(10), owner="anna")
    texts = list(harness.model.texts)
    harness.model.texts.clear()
    assert harness.label(catalogue(10), owner="ben") == first
    assert harness.model.texts == texts
    harness.model.texts.clear()
    assert harness.label(catalogue(10), owner="anna") == first
    assert harness.model.texts == []


def test_a_label_request_uses_the_entries_of_its_owner_only(
    harness: CachingHarness,
) -> None:
    harness.label(b"id,summary\n1,a murder\n", owner="anna")
    harness.model.texts.clear()
    for owner in ("ben", None):
        harness.label_now("a murder", owner=owner)
    assert harness.model.texts == ["murder", "murder"]
    harness.label_now("a murder", owner="anna")
    assert harness.model.texts == ["murder", "murder"]


def test_rejected_texts_are_sent_to_the_model_again(harness: CachingHarness) -> None:
    content = b"id,summary\n1,the poisonword\n2,a murder\n"
    first = harness.label(content)
    harness.model.texts.clear()
    assert harness.label(content) == first
    assert set(harness.model.texts) == {"poisonword"}


def test_an_unreachable_cache_does_not_change_the_result(
    tmp_path: Path, tiny_model_target: str
) -> None:
    unreachable = RedisPredictionCache("redis://127.0.0.1:1/0", max_entries=100, ttl_s=60)
    without = WorkerHarness(tmp_path / "a", tiny_model_target)
    expected = without.run(catalogue(10))
    harness = CachingHarness(tmp_path / "b", tiny_model_target, unreachable)
    result = harness.label(catalogue(10))
    assert result == without.storage.read_range(result_path(expected.id), 0, 1 << 30)


class TruncatingCache(MemoryPredictionCache):
    """Returns truncated values."""

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        return {key: value[:-4] for key, value in super().get(keys, before=before).items()}


def test_an_entry_of_another_length_is_not_used(tmp_path: Path, tiny_model_target: str) -> None:
    cache = TruncatingCache(max_entries=1000, ttl_s=3600, clock=lambda: 1_000_000.0)
    harness = CachingHarness(tmp_path, tiny_model_target, cache)
    first = harness.label(catalogue(3))
    texts = list(harness.model.texts)
    assert harness.label(catalogue(3)) == first
    assert harness.model.texts == texts * 2


def test_a_repeated_catalogue_gives_the_same_bytes_with_redis(
    tmp_path: Path, tiny_model_target: str, redis_url: str
) -> None:
    cache = RedisPredictionCache(redis_url, max_entries=1000, ttl_s=3600)
    harness = CachingHarness(tmp_path, tiny_model_target, cache)
    harness.now = 4_000_000_000.0  # later than every entry
    first = harness.label(catalogue(10))
    harness.model.texts.clear()
    assert harness.label(catalogue(10)) == first
    assert harness.model.texts == []


class RecordingCache(MemoryPredictionCache):
    """Records the entries that are put."""

    entries: dict[bytes, bytes]

    def put(self, values: Mapping[bytes, bytes]) -> None:
        self.entries.update(values)
        super().put(values)


def test_floats_are_cached_exactly(tmp_path: Path, tiny_model_target: str) -> None:
    cache = RecordingCache(max_entries=1000, ttl_s=3600)
    cache.entries = {}
    harness = CachingHarness(tmp_path, tiny_model_target, cache)
    harness.label(catalogue(10))
    rows = [np.frombuffer(value, "<f4") for value in cache.entries.values()]
    texts = list(dict.fromkeys(harness.model.texts))
    fresh = harness.model.submit(1, texts).result()
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in fresh}


def test_a_repeated_catalogue_has_larger_chunks_and_the_same_result(
    harness: CachingHarness,
) -> None:
    first = harness.run(catalogue(40))
    harness.now += 60
    again = harness.run(catalogue(40))
    assert (first.chunks, again.chunks) == (14, 4)
    results = [
        harness.storage.read_range(result_path(job.id), 0, 1 << 30) for job in (first, again)
    ]
    assert results[0] == results[1]


def test_a_catalogue_with_many_new_rows_has_chunks_of_the_usual_size(
    harness: CachingHarness,
) -> None:
    harness.run(catalogue(3))
    harness.now += 60
    assert harness.run(catalogue(40)).chunks == 14
