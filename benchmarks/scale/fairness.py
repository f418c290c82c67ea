"""Jobs of 100 rows while huge ones are labelled, and without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.laptop import Laptop
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.system import seconds

_SMALL_ROWS = 100
_HUGE_ROWS = 100_000
_TIMES = 15


def fairness(stack: Laptop, folder: Path, huge_jobs: int) -> Iterator[str]:
    """Lines of the report; the huge jobs are cancelled at the end."""
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
    yield (
        f"jobs of {_SMALL_ROWS} rows, POST to completed: median {statistics.median(alone):.2f} s alone; beside {huge_jobs} jobs "
        f"of {_HUGE_ROWS} rows {statistics.median(beside):.2f} s, the slowest of {_TIMES} {max(beside):.2f} s"
    )


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
