"""A Redis that goes away, or refuses, in the middle of a step counts for no attempt."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError

from cli.local_stack.data.redis_server import RedisServer
from jobs.job import PinnedModel, State
from jobs.memory.state import MemoryState
from jobs.memory.step_leases import MemoryStepLeases
from jobs.ports.prediction_cache import PredictionCache
from jobs.ports.step_leases import PLAN, Claim, label_step
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.outage import MEMORY_FULL, is_outage, refusal
from tests.waiting import eventually
from tests.worker.worker_harness import Desk, catalogue
from worker.liveness.outages import uncounted_outages
from worker.tasks.label import label_chunk
from worker.tasks.plan import plan_job


class Gate(PredictionCache):
    """Remembers nothing; a step that asks it has begun, and waits here while the gate is closed."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def close(self) -> None:
        self.reached.clear()
        self.open.clear()

    def get(self, _keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        del before
        self.reached.set()
        assert self.open.wait(120)
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
def gate() -> Gate:
    return Gate()


def desk_on(server: RedisServer, folder: Path, target: str, gate: Gate, lease_s: float) -> Desk:
    desk = Desk(folder, target, lease_s=lease_s)
    store = redis_job_store(redis_client(server.url))
    desk.services = replace(desk.services, store=store, labels=gate)
    desk.store = store
    return desk


@pytest.mark.parametrize("lease_s", [0.3, 30.0], ids=["past the lease", "within the lease"])
@pytest.mark.parametrize("step", [PLAN, label_step(0)])
def test_three_restarts_of_redis_within_a_step_leave_its_attempts_as_they_were(
    tmp_path: Path,
    tiny_model_target: str,
    server: RedisServer,
    gate: Gate,
    step: str,
    lease_s: float,
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = desk_on(server, tmp_path, tiny_model_target, gate, lease_s)
    job_id = desk.submit(catalogue(10))
    if step == PLAN:
        work, args = plan_job, (desk.services, job_id)
    else:
        plan_job(desk.services, job_id)
        work, args = label_chunk, (desk.services, job_id, 0)  # type: ignore[assignment]
    for _ in range(3):
        gate.close()
        thread = threading.Thread(target=work, args=args)
        thread.start()
        assert gate.reached.wait(120)
        server.stop()
        if lease_s < 1:
            threading.Event().wait(2 * lease_s)
        caplog.clear()
        gate.open.set()
        eventually(lambda: "step_waits_for_redis" in caplog.text)
        server.start()
        thread.join(120)
        assert not thread.is_alive()
    claim = desk.store.leases.claim(job_id, step, lease_s=lease_s)
    assert claim is not None
    assert claim.attempt == 1
    desk.store.leases.release(claim)
    desk.messages.plan(job_id)
    eventually(lambda: recovered(desk, job_id))
    assert [row[0] for row in desk.result(job_id)[1:]] == [str(n) for n in range(10)]


def recovered(desk: Desk, job_id: str) -> bool:
    for index in desk.store.leases.find_abandoned(job_id, idle_s=0).chunks:
        desk.messages.label(job_id, index)
    desk.work()
    return desk.store.jobs.get(job_id).state is State.COMPLETED


def test_a_full_redis_holds_a_step_up_and_it_goes_on_uncounted_when_there_is_room(
    tmp_path: Path, tiny_model_target: str, server: RedisServer, gate: Gate
) -> None:
    desk = desk_on(server, tmp_path, tiny_model_target, gate, lease_s=30)
    job_id = desk.submit(catalogue(10))
    claim = desk.store.leases.claim(job_id, PLAN, lease_s=30)
    assert claim is not None
    refused = threading.Event()

    def pause(_seconds: float) -> None:
        refused.set()
        threading.Event().wait(0.02)

    def plan() -> None:
        with uncounted_outages(desk.store.leases, claim, pause=pause):
            desk.store.chunks.begin_planning(claim, model=PinnedModel(1, "d1"))

    with server.client() as client:
        client.config_set("maxmemory", 1)
        thread = threading.Thread(target=plan)
        thread.start()
        assert refused.wait(120)
        client.config_set("maxmemory", 0)
        thread.join(120)
    again = desk.store.leases.claim(job_id, PLAN, lease_s=30)
    assert again is not None
    assert again.attempt == 1
    desk.store.leases.release(again)
    desk.work()
    assert desk.store.jobs.get(job_id).state is State.COMPLETED


class AwayLeases(MemoryStepLeases):
    """Cannot be reached by those who give a step back."""

    calls = 0

    def release(self, _claim: Claim) -> None:
        self.calls += 1
        raise redis.ConnectionError("away")


def test_the_wait_for_redis_is_bounded() -> None:
    leases, now = AwayLeases(MemoryState()), [0.0]
    claim = Claim(job_id="j", step=PLAN, fence=1, attempt=1)

    def pause(seconds: float) -> None:
        now[0] += seconds

    with uncounted_outages(leases, claim, max_wait_s=5.0, clock=lambda: now[0], pause=pause):
        raise redis.TimeoutError("away")
    assert 5.0 <= now[0] < 10.0
    assert leases.calls > 2


def test_an_error_that_is_no_outage_is_raised_and_stays_counted() -> None:
    leases = AwayLeases(MemoryState())
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
def test_what_ends_by_itself_or_by_an_operators_hand_is_an_outage(error: Exception) -> None:
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
def test_a_fault_of_ours_is_none(error: Exception) -> None:
    assert not is_outage(error)


@pytest.mark.parametrize(
    "command", [("SET", "a", "b"), ("EVAL", "return redis.call('HSET', KEYS[1], 'a', 'b')", 1, "h")]
)
def test_a_write_that_is_refused_for_want_of_memory_says_so(
    server: RedisServer, command: tuple[str | int, ...]
) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(redis.ResponseError) as caught:
            client.execute_command(*command)
    assert refusal(caught.value) == MEMORY_FULL
