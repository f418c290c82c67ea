"""Many queued jobs: response times of submission, status and list while workers are suspended."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx

from benchmarks.chaos.faults.injection_points import suspended
from benchmarks.local_stack import LocalStack

_REQUESTS = 200


def measure_queue(stack: LocalStack, jobs: int) -> Iterator[str]:
    """Yield the lines of the report; then wait until all jobs have completed."""
    worker = stack.main_process("worker")
    assert worker is not None
    with stack.client() as http:
        with suspended([worker, *worker.children()]):
            post = [_timed(partial(_submit, http, number)) for number in range(jobs)]
            newest = http.get("/v1/jobs").json()["jobs"]
            urls = [newest[number % len(newest)]["links"]["self"] for number in range(_REQUESTS)]
            status = [_timed(partial(http.get, url)) for url in urls]
            listing = [_timed(partial(http.get, "/v1/jobs")) for _ in range(_REQUESTS)]
        started = time.perf_counter()
        while any(_states(http, jobs) - {"completed"}):
            time.sleep(0.5)
        drained_s = time.perf_counter() - started
    yield (
        f"{jobs} queued jobs: submission {_median(post)}, status {_median(status)}, list "
        f"{_median(listing)}; all completed {drained_s:.0f} s after the workers were resumed"
    )


def _submit(http: httpx.Client, number: int) -> httpx.Response:
    content = f"title,summary\nA,a detective and murderer {'x' * (number % 90 + 2)}\n"
    return http.post("/v1/jobs", params={"filename": "a.csv"}, content=content.encode())


def _states(http: httpx.Client, jobs: int) -> set[str]:
    states: list[str] = []
    after = None
    while len(states) < jobs:
        page = http.get(
            "/v1/jobs", params={"limit": 100} | ({"after": after} if after else {})
        ).json()
        states += [job["state"] for job in page["jobs"]]
        if (after := page["next"]) is None:
            break
    return set(states[:jobs])


def _timed(request: Callable[[], httpx.Response]) -> float:
    started = time.perf_counter()
    request().raise_for_status()
    return time.perf_counter() - started


def _median(durations: list[float]) -> str:
    return f"{statistics.median(durations) * 1000:.0f} ms"
