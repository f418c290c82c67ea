"""The faults: each call injects one and waits until its cause is removed."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Mapping

import grpc
import psutil
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.chaos.cluster_state import ClusterState
from benchmarks.chaos.errors import FaultNotApplicable
from benchmarks.chaos.faults.clock import Clock
from benchmarks.chaos.faults.disk import damage
from benchmarks.chaos.faults.injection_points import INJECTION_POINTS, suspended, suspended_at
from benchmarks.chaos.faults.messages import MessageFaults
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.local_stack import PROCESS_KINDS, LocalStack
from jobs.job import State
from jobs.queue.task_queue import CeleryTaskQueue

# The supervisor gives up on a process that crashes repeatedly soon after its start, as it should.
# So no process is killed before this age.
_MIN_AGE_S = 10.5
_RESTART_TIMEOUT_S = 240.0
_INJECTION_POINT_TIMEOUT_S = 4.0
LEASE_S = 6.0


class FaultInjector:
    """Injects faults into one stack. Resumes what it suspends; kills its processes only."""

    def __init__(
        self,
        stack: LocalStack,
        observer: Observer,
        random_: random.Random,
        *,
        messages: CeleryTaskQueue,
        full_disk: bool,
        clock: Clock,
    ) -> None:
        self._stack = stack
        self._observer = observer
        self._random = random_
        self._cluster = ClusterState(stack)
        self.kinds: dict[str, tuple[float, Callable[[], Fault]]] = {}
        for kind in PROCESS_KINDS:
            self._add(f"kill -9 {kind}", 1.0, self._kill(kind))
            self._add(f"restart {kind}", 0.6, self._restart(kind))
            self._add(f"stop {kind}", 0.6, self._suspend(kind))
        self._add("kill -9 pool process", 3.0, self._kill_pool_process)
        self._add("stop pool process", 2.0, self._suspend_pool_process)
        for name in INJECTION_POINTS:
            self._add(f"at: {name}", 3.0, self._at(name))
        self._add("chunk output truncated", 2.5, self._damage_output("truncated"))
        self._add("chunk output removed", 1.0, self._damage_output("removed"))
        self._add("chunk output altered", 1.0, self._damage_output("altered"))
        queues = MessageFaults(stack, observer, random_, messages)
        self._add("consumers cancelled", 1.5, self._cancel_consumers(queues))
        self._add("messages dropped", 3.0, queues.drop)
        self._add("messages duplicated", 2.0, queues.duplicate)
        self._add("spurious messages", 2.0, queues.send_spurious)
        self._clock = clock
        if not clock.skipped:
            self._add("clock moved", 3.0, self._move_clock)
        if full_disk:
            self._add("disk full", 3.0, self._fill_disk)

    def _add(self, kind: str, weight: float, inject: Callable[[str], Fault]) -> None:
        self.kinds[kind] = (weight, lambda: inject(kind))

    def inject(self, done: Mapping[str, int]) -> Fault:
        """Inject one fault, chosen by weight; kinds that were injected less often are preferred.

        Raises: FaultNotApplicable, redis.RedisError.
        """
        names = list(self.kinds)
        weights = [self.kinds[name][0] / (1 + done.get(name, 0)) for name in names]
        return self.kinds[self._random.choices(names, weights)[0]][1]()

    # -- processes -------------------------------------------------------------------------------

    def _kill(self, kind: str) -> Callable[[str], Fault]:
        return lambda name: self._end(kind, name, psutil.Process.kill)

    def _restart(self, kind: str) -> Callable[[str], Fault]:
        return lambda name: self._end(kind, name, psutil.Process.terminate)

    def _end(self, kind: str, name: str, how: Callable[[psutil.Process], None]) -> Fault:
        process = self._process_of_min_age(kind)
        fault = self._observer.start_fault(name)
        with contextlib.suppress(psutil.Error):
            how(process)
        if kind != "redis":  # it is not available now
            self._observer.add_steps(fault, self._cluster.all_claimed())
        fault.restored_at = self._wait_for(kind, process.pid)
        return fault

    def _process_of_min_age(self, kind: str) -> psutil.Process:
        process = self._stack.main_process(kind)
        with contextlib.suppress(psutil.Error):
            if process is not None and time.time() - process.create_time() > _MIN_AGE_S:
                return process
        raise FaultNotApplicable

    def _wait_for(self, kind: str, old_pid: int) -> float:
        """Wait until the process was restarted and works; return the time."""
        deadline = time.monotonic() + _RESTART_TIMEOUT_S
        while time.monotonic() < deadline:
            self._stack.check()
            process = self._stack.main_process(kind)
            if process is not None and process.pid != old_pid and self._works(kind, process):
                return time.monotonic()
            time.sleep(0.05)
        raise TimeoutError(f"{kind} was not restarted within {_RESTART_TIMEOUT_S:.0f} s")

    def _works(self, kind: str, process: psutil.Process) -> bool:
        if kind == "redis":
            with contextlib.suppress(redis.RedisError):
                return bool(self._cluster.redis.ping())
            return False
        if kind == "worker":
            return bool(self._stack.pool())
        if kind == "beat":
            return True
        with contextlib.suppress(psutil.Error):
            if kind == "serving":
                # It listens before it has imported TensorFlow.
                return _serves(process.environ()["SPINELABEL_SERVING_ADDRESS"])
            # The API's listener belongs to the main process.
            connections = process.net_connections("tcp")
            return any(connection.status == psutil.CONN_LISTEN for connection in connections)
        return False

    def _suspend(self, kind: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            process = self._stack.main_process(kind)
            if process is None:
                raise FaultNotApplicable
            with contextlib.suppress(psutil.Error):
                return self._pause([process, *process.children()], name)
            raise FaultNotApplicable

        return inject

    def _pause(self, processes: list[psutil.Process], name: str) -> Fault:
        fault = self._observer.start_fault(name, also=self._cluster.all_claimed())
        with suspended(processes):
            time.sleep(self._random.choice((0.3, 1.0, 2.0, LEASE_S + 2.5)))
        fault.restored_at = time.monotonic()
        return fault

    def _pool_process(self) -> psutil.Process:
        pool = self._stack.pool()
        if not pool:
            raise FaultNotApplicable
        return self._random.choice(pool)

    def _kill_pool_process(self, name: str) -> Fault:
        process = self._pool_process()
        fault = self._observer.start_fault(name)
        with contextlib.suppress(psutil.Error):
            process.kill()
        self._observer.add_steps(fault, self._cluster.all_claimed())
        fault.restored_at = time.monotonic()  # the other one continues; Celery replaces this one
        return fault

    def _suspend_pool_process(self, name: str) -> Fault:
        return self._pause([self._pool_process()], name)

    def _cancel_consumers(self, queues: MessageFaults) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            worker = self._process_of_min_age("worker")
            fault = self._observer.start_fault(name)
            queues.cancel_consumers()
            fault.restored_at = self._wait_for("worker", worker.pid)
            return fault

        return inject

    # -- named steps -----------------------------------------------------------------------------

    def _at(self, point: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            with suspended_at(
                point, self._stack, self._cluster, timeout_s=_INJECTION_POINT_TIMEOUT_S
            ) as reached:
                if reached is None:
                    raise FaultNotApplicable
                _, processes = reached
                pool, main = processes[:-1], processes[-1]
                ways = ["pool", "pool", "stale"]
                for kind in ("worker", "redis"):
                    with contextlib.suppress(FaultNotApplicable):
                        self._process_of_min_age(kind)
                        ways.append(kind)
                way = self._random.choice(ways)
                fault = self._observer.start_fault(name, also=self._cluster.all_claimed())
                old = self._stack.main_process(way)
                if way == "stale":
                    # Longer than the lease: another process claims the step, then this one
                    # continues.
                    for process in (main, *pool[1:]):
                        process.resume()
                    time.sleep(LEASE_S + 2.5)
                elif way == "pool":
                    for process in pool:
                        process.kill()
                elif old is not None:
                    old.kill()
            if old is not None:
                fault.restored_at = self._wait_for(way, old.pid)
            else:
                fault.restored_at = time.monotonic()
            return fault

        return inject

    # -- storage ---------------------------------------------------------------------------------

    def _damage_output(self, how: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            # Suspended, so that the output is not being read already.
            with suspended(self._stack.pool()):
                jobs = [job for job in self._cluster.active() if job.state is State.IN_PROGRESS]
                for job in jobs:
                    outputs = [p for p in self._cluster.committed_outputs(job.id) if p.exists()]
                    if outputs:
                        fault = self._observer.start_fault(name)
                        damage(self._random.choice(outputs), how, self._random)
                        break
                else:
                    raise FaultNotApplicable
            fault.restored_at = time.monotonic()
            return fault

        return inject

    def _fill_disk(self, name: str) -> Fault:
        fault = self._observer.start_fault(name)
        filler = self._stack.storage / "filler"
        try:
            with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(1 << 16))
            time.sleep(self._random.uniform(1.0, 4.0))
        finally:
            filler.unlink(missing_ok=True)
        fault.restored_at = time.monotonic()
        return fault

    def _move_clock(self, name: str) -> Fault:
        fault = self._observer.start_fault(name)
        self._clock.move(
            self._clock.offset_s + self._random.choice((-7200, -3600, -30, 30, 3600, 7200))
        )
        fault.restored_at = time.monotonic()
        return fault


def _serves(address: str) -> bool:
    """Whether the model server at this address serves a model."""
    with grpc.insecure_channel(address) as channel, contextlib.suppress(grpc.RpcError):
        health = health_pb2_grpc.HealthStub(channel)
        response = health.Check(health_pb2.HealthCheckRequest(), timeout=1)
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
    return False
