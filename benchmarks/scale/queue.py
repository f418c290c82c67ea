"""Very many queued jobs: submission, list and status while no worker takes any."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx

from benchmarks.chaos.injection_points import stopped
from benchmarks.local_stack import Laptop

_LOOKS = 200


def queued(stack: Laptop, jobs: int) -> Iterator[str]:
    """Lines of the report; then the jobs are let run, and all have to complete."""
    worker = stack.main_process("worker")
    assert worker is not None
    with stack.client() as http:
        with stopped([worker, *worker.children()]):
            post = [_timed(partial(_submit, http, number)) for number in range(jobs)]
            newest = http.get("/v1/jobs").json()["jobs"]
            urls = [newest[number % len(newest)]["links"]["self"] for number in range(_LOOKS)]
            status = [_timed(partial(http.get, url)) for url in urls]
            listing = [_timed(partial(http.get, "/v1/jobs")) for _ in range(_LOOKS)]
        began = time.perf_counter()
        while any(_states(http, jobs) - {"completed"}):
            time.sleep(0.5)
        drained = time.perf_counter() - began
    yield (
        f"{jobs} queued jobs: submission {_median(post)}, status {_median(status)}, list {_median(listing)}; "
        f"all completed {drained:.0f} s after the workers went on"
    )


def _submit(http: httpx.Client, number: int) -> httpx.Response:
    content = f"title,summary\nA,a detective and murderer {'x' * (number % 90 + 2)}\n"
    return http.post("/v1/jobs", params={"filename": "a.csv"}, content=content.encode())


def _states(http: httpx.Client, jobs: int) -> set[str]:
    found: list[str] = []
    after = None
    while len(found) < jobs:
        page = http.get(
            "/v1/jobs", params={"limit": 100} | ({"after": after} if after else {})
        ).json()
        found += [job["state"] for job in page["jobs"]]
        if (after := page["next"]) is None:
            break
    return set(found[:jobs])


def _timed(ask: Callable[[], httpx.Response]) -> float:
    began = time.perf_counter()
    ask().raise_for_status()
    return time.perf_counter() - began


def _median(taken: list[float]) -> str:
    return f"{statistics.median(taken) * 1000:.0f} ms"
