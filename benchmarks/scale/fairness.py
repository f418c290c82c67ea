"""Whether small and large jobs delay one another: jobs of 100 rows beside huge ones, and a large one beside a stream of small ones."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.local_stack import Laptop
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.spinelabel_runner import seconds

_SMALL_ROWS = 100
_HUGE_ROWS = 100_000
_TIMES = 15
_LARGE_ROWS = 20_000
# Each sends its next job when the last one has ended: more than the pool can work on, so a queue is never empty.
_STREAMS = 8


def fairness(stack: Laptop, folder: Path, huge_jobs: int) -> Iterator[str]:
    """Lines of the report, one for each direction."""
    yield _small_beside_huge(stack, folder, huge_jobs)
    yield _large_beside_small(stack, folder)


def _small_beside_huge(stack: Laptop, folder: Path, huge_jobs: int) -> str:
    """The huge jobs are cancelled at the end."""
    huge = folder / "huge.csv"
    write_catalogue(huge, _HUGE_ROWS, seed=15)
    alone = _small_jobs(stack, folder, seed=1000)
    with stack.client(timeout_s=600) as http:
        jobs = [_submit(http, huge) for _ in range(huge_jobs)]
        while http.get(jobs[0]).json()["row_counts"]["labelled"] == 0:
            time.sleep(0.1)
        beside = _small_jobs(stack, folder, seed=2000)
        for url in jobs:
            http.post(f"{url}/cancel").raise_for_status()
    usual, late = statistics.median(alone), statistics.median(beside)
    return (
        f"jobs of {_SMALL_ROWS} rows, POST to completed: median {usual:.2f} s alone; beside {huge_jobs} jobs "
        f"of {_HUGE_ROWS} rows {late:.2f} s, the slowest of {_TIMES} {max(beside):.2f} s; ratio {late / usual:.1f}"
    )


def _large_beside_small(stack: Laptop, folder: Path) -> str:
    large = folder / "large.csv"
    write_catalogue(large, _LARGE_ROWS, seed=16)
    alone = seconds(stack, large, COLUMN)
    with _Stream(stack) as stream:
        stream.wait_until_it_runs()
        before = stream.ended
        beside = seconds(stack, large, COLUMN)
        small = stream.ended - before
    return (
        f"a job of {_LARGE_ROWS} rows: {alone:.1f} s alone; beside {_STREAMS} streams of jobs of one row {beside:.1f} s, in which "
        f"{small} of those ended ({small / beside:.0f} a second); ratio {beside / alone:.1f}"
    )


class _Stream:
    """Jobs of one row, one after the other from each of several threads, for the length of a `with` block."""

    def __init__(self, stack: Laptop) -> None:
        self.ended = 0
        self._stack = stack
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._send, args=(number,), daemon=True)
            for number in range(_STREAMS)
        ]

    def __enter__(self) -> _Stream:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_until_it_runs(self) -> None:
        """Until each thread has had its turn about twice."""
        while self.ended < 2 * _STREAMS:
            time.sleep(0.05)

    def _send(self, number: int) -> None:
        with self._stack.client(timeout_s=600) as http:
            count = 0
            while not self._stop.is_set():
                count += 1
                content = f"title,{COLUMN}\nA,a detective {'x' * (count % 90)} of {number}\n"
                job = http.post(
                    "/v1/jobs", params={"filename": "a.csv"}, content=content.encode()
                ).raise_for_status()
                url = str(job.json()["links"]["self"])
                while not self._stop.is_set() and _is_open(http, url):
                    pass
                with self._lock:
                    self.ended += 1


def _is_open(http: httpx.Client, url: str) -> bool:
    answer = http.get(url, headers={"Prefer": "wait=5"}).raise_for_status()
    return answer.json()["state"] not in ("completed", "failed")


def _small_jobs(stack: Laptop, folder: Path, *, seed: int) -> list[float]:
    taken = []
    for number in range(_TIMES):
        small = folder / "few.csv"
        write_catalogue(small, _SMALL_ROWS, seed=seed + number)
        taken.append(seconds(stack, small, COLUMN))
    return taken


def _submit(http: httpx.Client, catalogue: Path) -> str:
    with catalogue.open("rb") as stream:
        answer = http.post("/v1/jobs", files={"file": ("huge.csv", stream)})
    return str(answer.raise_for_status().json()["links"]["self"])
