"""The metrics equal what the job says, also when a worker is killed or suspended in the middle."""

from __future__ import annotations

import csv
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from catalogue.labelled.labels import OptionalColumns
from jobs.files.storage import errors_path
from jobs.job import Job, State
from jobs.memory.prediction_cache import MemoryPredictionCache
from jobs.metrics import WorkerMetrics
from tests.waiting import WITHIN_S, eventually
from tests.worker.scripted_model import ScriptedModel, ScriptedServer, scripted_server
from tests.worker.worker_harness import WorkerHarness
from tests.worker.worker_process import WorkerProcess, running_worker

GENRES = ("crime", "travel", "romance")
SETTINGS = {"SPINELABEL_LEASE_S": "5", "SPINELABEL_CHUNK_ROWS": "20"}
CHUNKS = 3
# The first call of the second chunk.
INTERRUPTED_CALL = 21


def books() -> bytes:
    """Sixty different rows, some of which get no label."""
    rows = [f"{n},a {GENRES[n % 7 % 3]} book with number {'i' * n}" for n in range(60)]
    rows[5], rows[30] = "5,", "30,???"
    rows[33] = "33,a,shifted,row"
    rows[45] = "45,a poisoned book"
    return "\n".join(["id,summary", *rows, ""]).encode()


def kill_pool(worker: WorkerProcess) -> None:
    for child in worker.process.children():
        child.kill()


def suspend(worker: WorkerProcess) -> None:
    for process in (worker.process, *worker.process.children()):
        process.suspend()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        server.models[1] = ScriptedModel(labels=GENRES)
        server.rejections["poisoned"] = grpc.StatusCode.INVALID_ARGUMENT
        yield server


def assert_equal(metrics: WorkerMetrics, job: Job, errors: Counter[str]) -> None:
    assert job.state is State.COMPLETED
    assert metrics.labelled_rows == job.genre_counts
    assert sum(metrics.labelled_rows.values()) == job.row_counts.labelled
    assert metrics.row_errors == errors
    assert sum(metrics.row_errors.values()) == job.row_counts.failed
    assert metrics.chunk_duration.count == job.chunks == CHUNKS
    assert metrics.chunk_duration.sum_s > 0


@pytest.mark.parametrize("interrupt", [kill_pool, suspend])
def test_rows_count_once_although_a_chunk_is_begun_twice(
    redis_url: str,
    tmp_path: Path,
    server: ScriptedServer,
    interrupt: Callable[[WorkerProcess], None],
) -> None:
    reached, resume = threading.Event(), threading.Event()

    def block() -> None:
        if server.calls["serving_default"] == INTERRUPTED_CALL:
            reached.set()
            assert resume.wait(WITHIN_S)

    server.after_prediction = block
    with ExitStack() as stack:
        first = stack.enter_context(running_worker(redis_url, tmp_path, server.target, **SETTINGS))
        job_id = first.submit(books())
        assert reached.wait(WITHIN_S)
        interrupt(first)
        second = stack.enter_context(running_worker(redis_url, tmp_path, server.target, **SETTINGS))

        def has_ended() -> bool:
            second.recover()
            return second.store.jobs.get(job_id).is_terminal

        eventually(has_ended, every_s=1)
        # The suspended worker continues with its chunk, which is no longer its own.
        resume.set()
    job, metrics = second.store.jobs.get(job_id), second.store.metrics.read()
    assert_equal(metrics, job, listed_errors(second, job_id))
    assert metrics.lease_losses == {"plan": 0, "label": 1, "assemble": 0}
    assert metrics.retries == {"plan": 0, "label": 1, "assemble": 0}
    # Each start of a step waited in the queue before.
    assert {kind: waits.count for kind, waits in metrics.queue_wait.items()} == {
        "plan": 1,
        "label": CHUNKS + 1,
        "assemble": 1,
    }
    # Those of the interrupted attempt are not among them.
    assert 0 < metrics.model_calls["predict"].count < server.calls["serving_default"]
    # All rows but the two that the parser refuses.
    assert (metrics.cache_hits, metrics.cache_misses) == (0, 58)


def listed_errors(worker: WorkerProcess, job_id: str) -> Counter[str]:
    """Rows by error code, as the job's list of errors has them."""
    text = worker.storage.read_range(errors_path(job_id), 0, 1 << 20).decode()
    return Counter(row[1] for row in csv.reader(text.splitlines()[1:]))


def test_cache_lookups_and_kinds_of_calls_are_counted(
    tmp_path: Path, server: ScriptedServer
) -> None:
    harness = WorkerHarness(tmp_path, server.target, chunk_rows=100)
    cache = MemoryPredictionCache(max_entries=1000, ttl_s=3600, clock=lambda: harness.now)
    harness.use(cache=cache)
    harness.run(b"id,summary\n1,a crime\n2,a crime\n3,travel\n4,\n")
    first = harness.store.metrics.read()
    assert (first.cache_hits, first.cache_misses) == (0, 2)
    assert first.model_calls["predict"].count == server.calls["serving_default"]
    assert first.model_calls["explain"].count == 0
    harness.now += 60
    harness.run(b"id,summary\n1,a crime\n2,romance\n", OptionalColumns(evidence=True))
    second = harness.store.metrics.read()
    assert (second.cache_hits, second.cache_misses) == (1, 3)
    assert second.model_calls["explain"].count > 0


def test_a_failed_call_is_measured_too(tmp_path: Path, server: ScriptedServer) -> None:
    server.faults["serving_default"].append(grpc.StatusCode.UNAVAILABLE)
    harness = WorkerHarness(tmp_path, server.target, model_retry_budget_s=WITHIN_S)
    assert harness.run(b"id,summary\n1,a crime\n").state is State.COMPLETED
    assert harness.store.metrics.read().model_calls["predict"].count == 2
