"""An outage of Redis during a step does not count as an attempt."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError

from cli.local_stack.data.redis_server import RedisServer
from jobs.job import PinnedModel, State
from jobs.memory.record.state import MemoryState
from jobs.memory.record.step_leases import MemoryStepLeases
from jobs.outage import MEMORY_FULL, is_outage, refusal
from jobs.ports.prediction_cache import PredictionCache
from jobs.ports.record.step_leases import PLAN, Claim, label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.waiting import eventually
from tests.worker.worker_harness import WorkerHarness, catalogue
from worker.liveness.outages import uncounted_outages
from worker.tasks.label import label_chunk
from worker.tasks.plan import plan_job


class BlockingCache(PredictionCache):
    """An empty cache whose reads wait while it is blocked, so that a step stays in progress."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.unblocked = threading.Event()
        self.unblocked.set()

    def block(self) -> None:
        self.reached.clear()
        self.unblocked.clear()

    def get(self, _keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        del before
        self.reached.set()
        assert self.unblocked.wait(120)
        return {}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cache() -> BlockingCache:
    return BlockingCache()


def harness_on(
    server: RedisServer, folder: Path, target: str, cache: BlockingCache, lease_s: float
) -> WorkerHarness:
    harness = WorkerHarness(folder, target, lease_s=lease_s)
    harness.use(store=redis_job_store(redis_client(server.url)), cache=cache)
    return harness


@pytest.mark.parametrize(
    "lease_s", [0.3, 30.0], ids=["longer than the lease", "shorter than the lease"]
)
@pytest.mark.parametrize("step", [PLAN, label_step(0)])
def test_redis_restarts_during_a_step_are_not_counted_as_attempts(
    tmp_path: Path,
    tiny_model_target: str,
    server: RedisServer,
    cache: BlockingCache,
    step: str,
    lease_s: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    harness = harness_on(server, tmp_path, tiny_model_target, cache, lease_s)
    job_id = harness.submit(catalogue(10))
    if step == PLAN:
        task, args = plan_job, (harness.services, job_id)
    else:
        plan_job(harness.services, job_id)
        task, args = label_chunk, (harness.services, job_id, 0)  # type: ignore[assignment]
    for _ in range(3):
        cache.block()
        thread = threading.Thread(target=task, args=args)
        thread.start()
        assert cache.reached.wait(120)
        server.stop()
        if lease_s < 1:
            threading.Event().wait(2 * lease_s)
        caplog.clear()
        cache.unblocked.set()
        eventually(lambda: "step_waits_for_redis" in caplog.text)
        server.start()
        thread.join(120)
        assert not thread.is_alive()
    claim = harness.store.leases.claim(job_id, step, lease_s=lease_s)
    assert claim is not None
    assert claim.attempt == 1
    harness.store.leases.release(claim)
    harness.queue.plan(job_id)
    eventually(lambda: recover(harness, job_id))
    assert [row[0] for row in harness.result(job_id)[1:]] == [str(n) for n in range(10)]


def recover(harness: WorkerHarness, job_id: str) -> bool:
    """Enqueue and execute the abandoned steps. Returns whether the job is completed."""
    for index in harness.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        harness.queue.label(job_id, index)
    harness.work()
    return harness.store.jobs.get(job_id).state is State.COMPLETED


def test_a_step_waits_for_a_full_redis_and_its_attempt_is_not_counted(
    tmp_path: Path, tiny_model_target: str, server: RedisServer, cache: BlockingCache
) -> None:
    harness = harness_on(server, tmp_path, tiny_model_target, cache, lease_s=30)
    job_id = harness.submit(catalogue(10))
    claim = harness.store.leases.claim(job_id, PLAN, lease_s=30)
    assert claim is not None
    refused = threading.Event()

    def pause(_seconds: float) -> None:
        refused.set()
        threading.Event().wait(0.02)

    def plan() -> None:
        with uncounted_outages(harness.store.leases, claim, pause=pause):
            harness.store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))

    with server.client() as client:
        client.config_set("maxmemory", 1)
        thread = threading.Thread(target=plan)
        thread.start()
        assert refused.wait(120)
        client.config_set("maxmemory", 0)
        thread.join(120)
    again = harness.store.leases.claim(job_id, PLAN, lease_s=30)
    assert again is not None
    assert again.attempt == 1
    harness.store.leases.release(again)
    harness.work()
    assert harness.store.jobs.get(job_id).state is State.COMPLETED


class UnreachableLeases(MemoryStepLeases):
    """Releases fail."""

    calls = 0

    def release(self, _claim: Claim) -> None:
        self.calls += 1
        raise redis.ConnectionError("unreachable")


def test_the_wait_for_redis_is_bounded() -> None:
    leases, now = UnreachableLeases(MemoryState()), [0.0]
    claim = Claim(job_id="j", step=PLAN, fence=1, attempt=1)

    def pause(seconds: float) -> None:
        now[0] += seconds

    with uncounted_outages(leases, claim, max_wait_s=5.0, clock=lambda: now[0], pause=pause):
        raise redis.TimeoutError("unreachable")
    assert 5.0 <= now[0] < 10.0
    assert leases.calls > 2


def test_another_error_is_raised_and_counts_as_an_attempt() -> None:
    leases = UnreachableLeases(MemoryState())
    claim = Claim(job_id="j", step=PLAN, fence=1, attempt=1)
    with pytest.raises(ZeroDivisionError), uncounted_outages(leases, claim):
        raise ZeroDivisionError
    assert leases.calls == 0


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("Error 111 connecting"),
        redis.TimeoutError("Timeout reading from socket"),
        redis.BusyLoadingError("Redis is loading the dataset in memory"),
        redis.ReadOnlyError("You can't write against a read only replica."),
        redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        OperationalError("Error 111 connecting"),
    ],
)
def test_errors_that_end_without_a_code_change_are_outages(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        redis.ResponseError("WRONGTYPE Operation"),
        redis.exceptions.NoScriptError(),
        OSError(),
        KeyError(),
    ],
)
def test_errors_of_our_code_are_not_outages(error: Exception) -> None:
    assert not is_outage(error)


@pytest.mark.parametrize(
    "command", [("SET", "a", "b"), ("EVAL", "return redis.call('HSET', KEYS[1], 'a', 'b')", 1, "h")]
)
def test_a_write_refused_by_a_full_redis_is_recognised(
    server: RedisServer, command: tuple[str | int, ...]
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.ResponseError) as caught:
            client.execute_command(*command)
    assert refusal(caught.value) == MEMORY_FULL
