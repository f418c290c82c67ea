"""Fairness: jobs of 100 rows next to huge ones, and a large job next to a stream of small ones."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.local_stack import LocalStack
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.spinelabel_runner import seconds

_SMALL_ROWS = 100
_HUGE_ROWS = 100_000
_REPETITIONS = 15
_LARGE_ROWS = 20_000
# Each submits its next job when the previous one has ended. More than pool processes, so that the
# queue is never empty.
_STREAMS = 8


def measure_fairness(stack: LocalStack, folder: Path, huge_jobs: int) -> Iterator[str]:
    """Yield the lines of the report, one per direction."""
    yield _small_next_to_huge(stack, folder, huge_jobs)
    yield _large_next_to_small(stack, folder)


def _small_next_to_huge(stack: LocalStack, folder: Path, huge_jobs: int) -> str:
    """The huge jobs are cancelled at the end."""
    huge = folder / "huge.csv"
    write_catalogue(huge, _HUGE_ROWS, seed=15)
    alone = _small_jobs(stack, folder, seed=1000)
    with stack.client(timeout_s=600) as http:
        jobs = [_submit(http, huge) for _ in range(huge_jobs)]
        while http.get(jobs[0]).json()["row_counts"]["labelled"] == 0:
            time.sleep(0.1)
        together = _small_jobs(stack, folder, seed=2000)
        for url in jobs:
            http.post(f"{url}/cancel").raise_for_status()
    usual_s, together_s = statistics.median(alone), statistics.median(together)
    return (
        f"jobs of {_SMALL_ROWS} rows, POST to completed: median {usual_s:.2f} s alone; next to "
        f"{huge_jobs} jobs of {_HUGE_ROWS} rows {together_s:.2f} s, maximum of {_REPETITIONS} "
        f"{max(together):.2f} s; ratio {together_s / usual_s:.1f}"
    )


def _large_next_to_small(stack: LocalStack, folder: Path) -> str:
    large = folder / "large.csv"
    write_catalogue(large, _LARGE_ROWS, seed=16)
    alone = seconds(stack, large, COLUMN)
    with _Stream(stack) as stream:
        stream.wait_until_running()
        before = stream.ended
        together = seconds(stack, large, COLUMN)
        small = stream.ended - before
    return (
        f"a job of {_LARGE_ROWS} rows: {alone:.1f} s alone; next to {_STREAMS} streams of one-row "
        f"jobs {together:.1f} s, in which "
        f"{small} of these ended ({small / together:.0f} per second); ratio {together / alone:.1f}"
    )


class _Stream:
    """Threads that submit one-row jobs, one after the other, during a `with` block."""

    def __init__(self, stack: LocalStack) -> None:
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

    def wait_until_running(self) -> None:
        """Wait until each thread has had about two jobs."""
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
    response = http.get(url, headers={"Prefer": "wait=5"}).raise_for_status()
    return response.json()["state"] not in ("completed", "failed")


def _small_jobs(stack: LocalStack, folder: Path, *, seed: int) -> list[float]:
    durations = []
    for number in range(_REPETITIONS):
        small = folder / "few.csv"
        write_catalogue(small, _SMALL_ROWS, seed=seed + number)
        durations.append(seconds(stack, small, COLUMN))
    return durations


def _submit(http: httpx.Client, catalogue: Path) -> str:
    with catalogue.open("rb") as stream:
        response = http.post("/v1/jobs", files={"file": ("huge.csv", stream)})
    return str(response.raise_for_status().json()["links"]["self"])
