"""Spinelabel on a local stack: from the start of the upload to the end of the job."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import httpx

from benchmarks.local_stack import LocalStack, running_stack
from benchmarks.speed.catalogue import COLUMN, write_catalogue

# A long poll: polling every few milliseconds takes a twelfth of two cores from the job.
_LONG_POLL = {"Prefer": "wait=60"}
_WARM_UP_ROWS = 4000


@contextlib.contextmanager
def warm_stack(
    *, prediction_cache_max_entries: int, settings: Mapping[str, str] | None = None
) -> Iterator[LocalStack]:
    """Start a stack with the shipped model and label a catalogue to warm it up."""
    with tempfile.TemporaryDirectory(prefix="spinelabel-bench-") as temporary:
        folder = Path(temporary)
        all_settings = {
            "SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES": str(prediction_cache_max_entries),
            **(settings or {}),
        }
        with running_stack(folder / "data", model_root=None, settings=all_settings) as stack:
            write_catalogue(folder / "warm_up.csv", _WARM_UP_ROWS, seed=99)
            seconds(stack, folder / "warm_up.csv", COLUMN)
            yield stack


def seconds(stack: LocalStack, catalogue: Path, column: str) -> float:
    """Duration of a job from POST to `completed`."""
    with stack.client(timeout_s=600) as http, catalogue.open("rb") as stream:
        started = time.perf_counter()
        _submit_and_wait(http, stream, column)
        return time.perf_counter() - started


def one_row_seconds(stack: LocalStack, *, times: int) -> list[float]:
    """Durations of one-row jobs, one after the other; all texts are different."""
    durations = []
    with stack.client() as http:
        for number in range(times):
            name = "x" * (number % 50 + 2)
            text = f"A detective hunts murderer {name} through the rain of the old town"
            content = f"title,{COLUMN}\nA,{text}\n".encode()
            started = time.perf_counter()
            _submit_and_wait(http, content, COLUMN)
            durations.append(time.perf_counter() - started)
    return durations


def _submit_and_wait(http: httpx.Client, content: bytes | BinaryIO, column: str) -> None:
    response = http.post(
        "/v1/jobs",
        files={"file": ("c.csv", content)},
        data={"summary_column": column},
        headers=_LONG_POLL,
    )
    job = response.raise_for_status().json()
    while job["state"] not in ("completed", "failed"):
        response = http.get(job["links"]["self"], headers=_LONG_POLL)
        job = response.raise_for_status().json()
    if job["state"] == "failed":
        raise SystemExit(f"the job failed: {job['error']}")
