"""One large upload: its duration, and the memory of the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.local_stack import LocalStack
from benchmarks.scale.memory import Memory
from benchmarks.speed.catalogue import write_catalogue


def measure_upload(stack: LocalStack, folder: Path, megabytes: int) -> Iterator[str]:
    """Yield the lines of the report. The job is cancelled after the upload."""
    sample = folder / "sample.csv"
    write_catalogue(sample, 2000, seed=13)
    header, _, rows = sample.read_bytes().partition(b"\n")

    def body() -> Iterator[bytes]:
        sent = len(header) + 1
        yield header + b"\n"
        while sent + len(rows) <= megabytes * 10**6:
            sent += len(rows)
            yield rows

    with stack.client(timeout_s=1200) as http, Memory(stack) as memory:
        started = time.perf_counter()
        response = http.post("/v1/jobs", params={"filename": "big.csv"}, content=body())
        duration = time.perf_counter() - started
        job = response.raise_for_status().json()
        http.post(job["links"]["cancel"]).raise_for_status()
        while http.get(job["links"]["self"]).json()["state"] != "cancelled":
            time.sleep(0.2)
        http.delete(job["links"]["self"]).raise_for_status()
    yield (
        f"upload of {job['input_bytes'] / 1e6:.0f} MB: {duration:.1f} s, API "
        f"{memory.peaks()['api']:.0f} MB maximum"
    )
