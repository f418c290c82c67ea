"""The faults: each is injected once by a call, and knows when what it took away is back."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Mapping

import grpc
import psutil
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.chaos.clock import Clock
from benchmarks.chaos.cluster_state import View
from benchmarks.chaos.disk import spoil
from benchmarks.chaos.errors import NotPossible
from benchmarks.chaos.injection_points import MOMENTS, stopped, stopped_at
from benchmarks.chaos.message_faults import MessageFaults
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.local_stack import KINDS, Laptop
from jobs.job import State
from jobs.queue.task_queue import CeleryTaskQueue

# A child of the supervisor that dies young again and again makes it give up, as it should; so none is killed before
# it has lived so long.
_MIN_LIFE_S = 10.5
_BACK_S = 240.0
_MOMENT_S = 4.0
LEASE_S = 6.0


class Faults:
    """What can be done to one stack. Everything it stops it continues; it ends only the stack's own processes."""

    def __init__(
        self, stack: Laptop, observer: Observer, random_: random.Random, *, messages: CeleryTaskQueue,
        full_disk: bool, clock: Clock,
    ) -> None:  # fmt: skip
        self._stack = stack
        self._observer = observer
        self._random = random_
        self._view = View(stack)
        self.kinds: dict[str, tuple[float, Callable[[], Fault]]] = {}
        for kind in KINDS:
            self._add(f"kill -9 {kind}", 1.0, self._killed(kind))
            self._add(f"restart {kind}", 0.6, self._restarted(kind))
            self._add(f"stop {kind}", 0.6, self._stopped(kind))
        self._add("kill -9 pool child", 3.0, self._child_killed)
        self._add("stop pool child", 2.0, self._child_stopped)
        for name in MOMENTS:
            self._add(f"at: {name}", 3.0, self._at(name))
        self._add("part truncated", 2.5, self._part_spoilt("truncated"))
        self._add("part removed", 1.0, self._part_spoilt("removed"))
        self._add("part altered", 1.0, self._part_spoilt("altered"))
        queues = MessageFaults(stack, observer, random_, messages)
        self._add("worker made deaf", 1.5, self._deafened(queues))
        self._add("messages dropped", 3.0, queues.dropped)
        self._add("messages repeated", 2.0, queues.repeated)
        self._add("messages nobody asked for", 2.0, queues.invented)
        self._clock = clock
        if not clock.missing:
            self._add("clock moved", 3.0, self._clock_moved)
        if full_disk:
            self._add("disk full", 3.0, self._disk_full)

    def _add(self, kind: str, weight: float, inject: Callable[[str], Fault]) -> None:
        self.kinds[kind] = (weight, lambda: inject(kind))

    def inject(self, done: Mapping[str, int]) -> Fault:
        """One fault by weight, those that were injected seldom first. Raises `NotPossible`, `redis.RedisError`."""
        names = list(self.kinds)
        weights = [self.kinds[name][0] / (1 + done.get(name, 0)) for name in names]
        return self.kinds[self._random.choices(names, weights)[0]][1]()

    # -- processes -------------------------------------------------------------------------------

    def _killed(self, kind: str) -> Callable[[str], Fault]:
        return lambda name: self._end(kind, name, psutil.Process.kill)

    def _restarted(self, kind: str) -> Callable[[str], Fault]:
        return lambda name: self._end(kind, name, psutil.Process.terminate)

    def _end(self, kind: str, name: str, how: Callable[[psutil.Process], None]) -> Fault:
        process = self._old_enough(kind)
        fault = self._observer.begin(name)
        with contextlib.suppress(psutil.Error):
            how(process)
        if kind != "redis":  # which cannot be asked now
            self._observer.concern(fault, self._view.all_held())
        fault.back_at = self._wait_for(kind, process.pid)
        return fault

    def _old_enough(self, kind: str) -> psutil.Process:
        process = self._stack.main_process(kind)
        with contextlib.suppress(psutil.Error):
            if process is not None and time.time() - process.create_time() > _MIN_LIFE_S:
                return process
        raise NotPossible

    def _wait_for(self, kind: str, old: int) -> float:
        """When the process is back and does its work."""
        deadline = time.monotonic() + _BACK_S
        while time.monotonic() < deadline:
            self._stack.check()
            process = self._stack.main_process(kind)
            if process is not None and process.pid != old and self._works(kind, process):
                return time.monotonic()
            time.sleep(0.05)
        raise TimeoutError(f"{kind} was not started again within {_BACK_S:.0f} s")

    def _works(self, kind: str, process: psutil.Process) -> bool:
        if kind == "redis":
            with contextlib.suppress(redis.RedisError):
                return bool(self._view.redis.ping())
            return False
        if kind == "worker":
            return bool(self._stack.pool())
        if kind == "beat":
            return True
        with contextlib.suppress(psutil.Error):
            if kind == "serving":
                # It listens before TensorFlow is there.
                return _serves(process.environ()["SPINELABEL_SERVING_ADDRESS"])
            # The API's listener belongs to the main process.
            connections = process.net_connections("tcp")
            return any(connection.status == psutil.CONN_LISTEN for connection in connections)
        return False

    def _stopped(self, kind: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            process = self._stack.main_process(kind)
            if process is None:
                raise NotPossible
            with contextlib.suppress(psutil.Error):
                return self._pause([process, *process.children()], name)
            raise NotPossible

        return inject

    def _pause(self, processes: list[psutil.Process], name: str) -> Fault:
        fault = self._observer.begin(name, also=self._view.all_held())
        with stopped(processes):
            time.sleep(self._random.choice((0.3, 1.0, 2.0, LEASE_S + 2.5)))
        fault.back_at = time.monotonic()
        return fault

    def _child(self) -> psutil.Process:
        pool = self._stack.pool()
        if not pool:
            raise NotPossible
        return self._random.choice(pool)

    def _child_killed(self, name: str) -> Fault:
        child = self._child()
        fault = self._observer.begin(name)
        with contextlib.suppress(psutil.Error):
            child.kill()
        self._observer.concern(fault, self._view.all_held())
        fault.back_at = time.monotonic()  # its brother works on, Celery replaces it
        return fault

    def _child_stopped(self, name: str) -> Fault:
        return self._pause([self._child()], name)

    def _deafened(self, queues: MessageFaults) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            worker = self._old_enough("worker")
            fault = self._observer.begin(name)
            queues.deafen()
            fault.back_at = self._wait_for("worker", worker.pid)
            return fault

        return inject

    # -- named moments ---------------------------------------------------------------------------

    def _at(self, moment: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            with stopped_at(moment, self._stack, self._view, patience_s=_MOMENT_S) as met:
                if met is None:
                    raise NotPossible
                _, processes = met
                children, main = processes[:-1], processes[-1]
                ways = ["children", "children", "stale"]
                for kind in ("worker", "redis"):
                    with contextlib.suppress(NotPossible):
                        self._old_enough(kind)
                        ways.append(kind)
                way = self._random.choice(ways)
                fault = self._observer.begin(name, also=self._view.all_held())
                old = self._stack.main_process(way)
                if way == "stale":
                    # Longer than the lease: another child takes over what this one holds, then it goes on.
                    for process in (main, *children[1:]):
                        process.resume()
                    time.sleep(LEASE_S + 2.5)
                elif way == "children":
                    for child in children:
                        child.kill()
                elif old is not None:
                    old.kill()
            if old is not None:
                fault.back_at = self._wait_for(way, old.pid)
            else:
                fault.back_at = time.monotonic()
            return fault

        return inject

    # -- storage ---------------------------------------------------------------------------------

    def _part_spoilt(self, how: str) -> Callable[[str], Fault]:
        def inject(name: str) -> Fault:
            # Stopped, so that the part is not being read already.
            with stopped(self._stack.pool()):
                jobs = [job for job in self._view.active() if job.state is State.IN_PROGRESS]
                for job in jobs:
                    parts = [p for p in self._view.committed_parts(job.id) if p.exists()]
                    if parts:
                        fault = self._observer.begin(name)
                        spoil(self._random.choice(parts), how, self._random)
                        break
                else:
                    raise NotPossible
            fault.back_at = time.monotonic()
            return fault

        return inject

    def _disk_full(self, name: str) -> Fault:
        fault = self._observer.begin(name)
        filler = self._stack.storage / "filler"
        try:
            with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(1 << 16))
            time.sleep(self._random.uniform(1.0, 4.0))
        finally:
            filler.unlink(missing_ok=True)
        fault.back_at = time.monotonic()
        return fault

    def _clock_moved(self, name: str) -> Fault:
        fault = self._observer.begin(name)
        self._clock.move(
            self._clock.shift_s + self._random.choice((-7200, -3600, -30, 30, 3600, 7200))
        )
        fault.back_at = time.monotonic()
        return fault


def _serves(address: str) -> bool:
    """Whether the model server there has a model."""
    with grpc.insecure_channel(address) as channel, contextlib.suppress(grpc.RpcError):
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=1)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False
