"""One chaos run: a stack, clients that keep jobs under way, and one fault after the other."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import redis

from benchmarks.chaos.catalogues import make_catalogues
from benchmarks.chaos.clock import Clock
from benchmarks.chaos.disk import small_disk
from benchmarks.chaos.errors import NotPossible
from benchmarks.chaos.faults import Faults
from benchmarks.chaos.invariants import TERMINAL
from benchmarks.chaos.load import Clients
from benchmarks.chaos.observer import Fault, Observer
from benchmarks.chaos.report import Outcome
from benchmarks.local_stack import Laptop, build_tiny_model, laptop
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import CeleryTaskQueue

CHUNK_ROWS = 10
# Fewer than a catalogue has: some rows are remembered, most are labelled.
CACHED_ROWS = 400
CLIENTS = 4
STALL_S = 90.0
_DELETED_WITHIN_S = 240.0
_PAUSE_S = (0.1, 2.0)
# A run that cannot inject anything ends, whatever the machine's load.
_LONGEST_S, _LONGEST_S_PER_FAULT = 600.0, 12.0


def run(
    *,
    faults: int,
    seed: int,
    model_root: Path | None,
    keep: Path | None = None,
    stall_s: float = STALL_S,
) -> Outcome:
    """Inject `faults` faults, and take a job without progress for `stall_s` seconds as a violation.

    Raises `StackDied` when the stack itself cannot be kept running.
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
            small_disk(folder / "data" / "storage") as no_disk,
            laptop(folder / "data", model_root=models, settings=settings) as stack,
        ):
            return _disturb(stack, faults, seed, no_disk, clock, stall_s)


def _disturb(
    stack: Laptop, wanted: int, seed: int, no_disk: str | None, clock: Clock, stall_s: float
) -> Outcome:
    clients = Clients(stack, make_catalogues(seed), seed)
    clients.learn()
    began = time.monotonic()
    injected: list[Fault] = []
    counted: Counter[str] = Counter()
    random_ = random.Random(seed)
    celery = make_celery(stack.redis_url.replace("unix://", "redis+socket://"))
    messages = CeleryTaskQueue(celery)
    with Observer(stack, result_size=clients.result_size, stall_s=stall_s) as observer:
        faults = Faults(
            stack, observer, random_, messages=messages, full_disk=no_disk is None, clock=clock
        )
        with clients.at_work(CLIENTS):
            while len(injected) < wanted:
                if time.monotonic() - began > _LONGEST_S + wanted * _LONGEST_S_PER_FAULT:
                    observer.violations.append("the run took too long and was ended")
                    break
                time.sleep(random_.uniform(*_PAUSE_S))
                try:
                    fault = faults.inject(counted)
                except (NotPossible, redis.RedisError):
                    continue
                injected.append(fault)
                counted[fault.kind] += 1
                _tell(f"{len(injected)}/{wanted} {fault.kind}")
        violations = [*clients.violations, *observer.violations, *_left_over(stack)]
    return Outcome(
        faults=injected,
        jobs=clients.jobs,
        rows=clients.rows,
        lost_rows=clients.lost_rows,
        wrong_rows=clients.wrong_rows,
        violations=violations,
        skipped=[reason for reason in (no_disk, clock.missing) if reason],
        refused=clients.answers,
        seconds=time.monotonic() - began,
    )


def _left_over(stack: Laptop) -> list[str]:
    """Jobs and files that nobody needs any more. All clients have deleted their jobs by now."""
    found = []
    with stack.client() as http:
        # Uploads that were accepted while the answer got lost became jobs of which no client knows.
        deadline = time.monotonic() + _DELETED_WITHIN_S
        while jobs := http.get("/v1/jobs", params={"limit": 100}).json()["jobs"]:
            for job in jobs:
                if job["state"] in TERMINAL:
                    http.delete(f"/v1/jobs/{job['id']}").raise_for_status()
            if time.monotonic() > deadline:
                found = [f"{job['id']} is left behind as {job['state']}" for job in jobs]
                break
            time.sleep(0.1)
    files = [path for path in stack.storage.rglob("*") if path.is_file()]
    return found + [f"left over: {path.relative_to(stack.storage)}" for path in files]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
