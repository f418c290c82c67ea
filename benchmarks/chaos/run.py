"""One chaos run: a stack, clients that keep jobs running, and one fault after the other."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import redis

from benchmarks.chaos.catalogues import make_catalogues
from benchmarks.chaos.errors import FaultNotApplicable
from benchmarks.chaos.faults.clock import Clock
from benchmarks.chaos.faults.disk import small_disk
from benchmarks.chaos.faults.injector import FaultInjector
from benchmarks.chaos.invariants import TERMINAL
from benchmarks.chaos.load import LoadClients
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.chaos.report import Report
from benchmarks.local_stack import LocalStack, build_tiny_model, running_stack
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import CeleryTaskQueue

CHUNK_ROWS = 10
# Fewer than a catalogue has rows, so that some predictions are cached and most are not.
CACHED_ROWS = 400
CLIENTS = 4
STALL_S = 90.0
_CLEANUP_TIMEOUT_S = 240.0
_PAUSE_S = (0.1, 2.0)
# A run in which no fault can be injected ends as well.
_MAX_S, _MAX_S_PER_FAULT = 600.0, 12.0


def run(
    *,
    faults: int,
    seed: int,
    model_root: Path | None,
    keep: Path | None = None,
    stall_s: float = STALL_S,
) -> Report:
    """Inject `faults` faults. A job without progress for `stall_s` seconds is a violation.

    Raises: StackExited: the supervisor gave up.
    """
    with tempfile.TemporaryDirectory(prefix="spinelabel-chaos-") as temporary:
        folder = keep or Path(temporary)
        models = model_root or build_tiny_model(folder / "models")
        clock = Clock(folder / "clock")
        settings = {
            "SPINELABEL_CHUNK_ROWS": str(CHUNK_ROWS),
            "SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES": str(CACHED_ROWS),
            **clock.settings,
        }
        with (
            small_disk(folder / "data" / "storage") as no_disk_reason,
            running_stack(folder / "data", model_root=models, settings=settings) as stack,
        ):
            return _inject_faults(stack, faults, seed, no_disk_reason, clock, stall_s)


def _inject_faults(
    stack: LocalStack,
    count: int,
    seed: int,
    no_disk_reason: str | None,
    clock: Clock,
    stall_s: float,
) -> Report:
    clients = LoadClients(stack, make_catalogues(seed), seed)
    clients.record_references()
    started = time.monotonic()
    injected: list[Fault] = []
    by_kind: Counter[str] = Counter()
    random_ = random.Random(seed)
    celery = make_celery(stack.redis_url.replace("unix://", "redis+socket://"))
    messages = CeleryTaskQueue(celery)
    with Observer(stack, result_size=clients.result_size, stall_s=stall_s) as observer:
        faults = FaultInjector(
            stack,
            observer,
            random_,
            messages=messages,
            full_disk=no_disk_reason is None,
            clock=clock,
        )
        with clients.running(CLIENTS):
            while len(injected) < count:
                if time.monotonic() - started > _MAX_S + count * _MAX_S_PER_FAULT:
                    observer.violations.append("the run exceeded its time limit and was ended")
                    break
                time.sleep(random_.uniform(*_PAUSE_S))
                try:
                    fault = faults.inject(by_kind)
                except (FaultNotApplicable, redis.RedisError):
                    continue
                injected.append(fault)
                by_kind[fault.kind] += 1
                _print(f"{len(injected)}/{count} {fault.kind}")
        violations = [*clients.violations, *observer.violations, *_leftovers(stack)]
    return Report(
        faults=injected,
        jobs=clients.jobs,
        rows=clients.rows,
        lost_rows=clients.lost_rows,
        wrong_rows=clients.wrong_rows,
        violations=violations,
        skipped=[reason for reason in (no_disk_reason, clock.skipped) if reason],
        refused=clients.refused,
        seconds=time.monotonic() - started,
    )


def _leftovers(stack: LocalStack) -> list[str]:
    """Jobs and files that remain after all clients have deleted their jobs."""
    jobs_left = []
    with stack.client() as http:
        # If the response to an upload was lost, its job is unknown to the client.
        deadline = time.monotonic() + _CLEANUP_TIMEOUT_S
        while jobs := http.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
            for job in jobs:
                if job["state"] in TERMINAL:
                    http.delete(f"/v1/jobs/{job['id']}").raise_for_status()
            if time.monotonic() > deadline:
                jobs_left = [f"left over: {job['id']} ({job['state']})" for job in jobs]
                break
            time.sleep(0.1)
    files = [path for path in stack.storage.rglob("*") if path.is_file()]
    return jobs_left + [f"left over: {path.relative_to(stack.storage)}" for path in files]


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
