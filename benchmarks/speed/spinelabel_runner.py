"""Spinelabel as its user sees it: from the start of the upload to the job's end, on a laptop stack of its own."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import httpx

from benchmarks.local_stack import Laptop, laptop
from benchmarks.speed.catalogue import COLUMN, write_catalogue

# The server answers when the job has ended: asking every few milliseconds takes a twelfth of two cores from the job.
_WHEN_IT_HAS_ENDED = {"Prefer": "wait=60"}
_WARM_UP_ROWS = 4000


@contextlib.contextmanager
def system(
    *, prediction_cache_max_entries: int, settings: Mapping[str, str] | None = None
) -> Iterator[Laptop]:
    """A ready stack with the shipped model that has labelled something already."""
    with tempfile.TemporaryDirectory(prefix="spinelabel-bench-") as temporary:
        folder = Path(temporary)
        given = {
            "SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES": str(prediction_cache_max_entries),
            **(settings or {}),
        }
        with laptop(folder / "data", model_root=None, settings=given) as stack:
            write_catalogue(folder / "warm_up.csv", _WARM_UP_ROWS, seed=99)
            seconds(stack, folder / "warm_up.csv", COLUMN)
            yield stack


def seconds(stack: Laptop, catalogue: Path, column: str) -> float:
    """From POST to `completed`."""
    with stack.client(timeout_s=600) as http, catalogue.open("rb") as stream:
        began = time.perf_counter()
        _submit_and_wait(http, stream, column)
        return time.perf_counter() - began


def one_row_seconds(stack: Laptop, *, times: int) -> list[float]:
    """The same for jobs of one row, one after the other; each has words of its own."""
    taken = []
    with stack.client() as http:
        for number in range(times):
            text = f"A detective hunts murderer {'x' * (number % 50 + 2)} through the rain of the old town"
            content = f"title,{COLUMN}\nA,{text}\n".encode()
            began = time.perf_counter()
            _submit_and_wait(http, content, COLUMN)
            taken.append(time.perf_counter() - began)
    return taken


def _submit_and_wait(http: httpx.Client, content: bytes | BinaryIO, column: str) -> None:
    answer = http.post(
        "/v1/jobs",
        files={"file": ("c.csv", content)},
        data={"summary_column": column},
        headers=_WHEN_IT_HAS_ENDED,
    )
    job = answer.raise_for_status().json()
    while job["state"] not in ("completed", "failed"):
        answer = http.get(job["links"]["self"], headers=_WHEN_IT_HAS_ENDED)
        job = answer.raise_for_status().json()
    if job["state"] == "failed":
        raise SystemExit(f"the job failed: {job['error']}")
