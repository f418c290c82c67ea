"""One upload of very many bytes: what the API holds in memory meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.local_stack import Laptop
from benchmarks.scale.memory import Memory
from benchmarks.speed.catalogue import write_catalogue


def big_upload(stack: Laptop, folder: Path, megabytes: int) -> Iterator[str]:
    """Lines of the report. The job is cancelled once the upload has been accepted."""
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
        began = time.perf_counter()
        answer = http.post("/v1/jobs", params={"filename": "big.csv"}, content=body())
        taken = time.perf_counter() - began
        job = answer.raise_for_status().json()
        http.post(job["links"]["cancel"]).raise_for_status()
        while http.get(job["links"]["self"]).json()["state"] != "cancelled":
            time.sleep(0.2)
        http.delete(job["links"]["self"]).raise_for_status()
    yield (
        f"upload of {job['input_bytes'] / 1e6:.0f} MB: {taken:.1f} s, API {memory.peaks()['api']:.0f} MB at most"
    )
