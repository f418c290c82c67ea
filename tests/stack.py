"""The laptop stack as a user starts it: real Redis, worker, model server and API."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample_catalogue.csv"
READY_SECONDS = 90
JOB_SECONDS = 150


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """A running laptop stack and what a test may ask of it."""

    supervisor: psutil.Process
    data_dir: Path
    http: httpx.Client

    def processes(self, command: str) -> list[psutil.Process]:
        """Processes of this stack whose command line contains `command`, parents first."""
        found = []
        for process in self.supervisor.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if command in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def worker(self) -> psutil.Process:
        """The Celery worker's main process."""
        return next(p for p in self.processes("-m worker") if p.cmdline()[-1] == "worker")

    def worker_children(self) -> list[psutil.Process]:
        """The worker's pool processes."""
        return self.worker().children()

    def submit(self, content: bytes, **options: str) -> str:
        answer = self.http.post(
            "/v1/jobs", files={"file": ("catalogue.csv", content)}, data=options
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, object]:
        answer = self.http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        document: dict[str, object] = answer.json()
        return document

    def wait(self, job_id: str, *states: str) -> dict[str, object]:
        """Poll until the job is in one of `states` (default: any terminal one).

        Like any patient client it goes on while the API or its Redis is away.
        """
        wanted = states or ("completed", "failed", "cancelled", "expired")
        deadline = time.monotonic() + JOB_SECONDS
        last: object = None
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.get(f"/v1/jobs/{job_id}")
                last = answer.json()
                if answer.status_code != 503:
                    assert answer.status_code == 200, answer.text
                    if answer.json()["state"] in wanted:
                        return self.job(job_id)
            time.sleep(0.1)
        raise AssertionError(f"the job stands still: {last}")

    def wait_for_progress(self, job_id: str) -> None:
        """Until some rows are labelled, but not all."""
        deadline = time.monotonic() + JOB_SECONDS
        while True:
            # From the list: a look at the job may be a moment old, and the job over by then.
            listed = self.http.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()
            counts = next(job["row_counts"] for job in listed["jobs"] if job["id"] == job_id)
            if counts["labelled"]:
                assert counts["pending"], "the catalogue is too small for this test"
                return
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The worker stands still while the block lasts, and goes on after it."""
        held = [self.worker(), *self.worker_children()]
        for process in held:
            process.suspend()
        try:
            yield
        finally:
            for process in reversed(held):
                process.resume()

    @contextlib.contextmanager
    def without_api(self) -> Iterator[None]:
        """The API is dead while the block lasts, and is started again at its end."""
        self.supervisor.suspend()
        try:
            for process in self.processes("-m api"):
                process.kill()
            yield
        finally:
            self.supervisor.resume()

    def wait_for_api(self) -> None:
        """Until the API answers."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/healthz").status_code == 200:
                    return
            assert time.monotonic() < deadline, "the API does not come back"
            time.sleep(0.1)

    def result(self, job_id: str) -> bytes:
        answer = self.http.get(f"/v1/jobs/{job_id}/result")
        assert answer.status_code == 200, answer.text
        return answer.content


def many_rows(mark: str = "") -> bytes:
    """A catalogue of some thousand different rows, made from the sample's own words.

    With a mark, a word that no other text has, none of its rows is known from earlier jobs.
    """
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        texts = [row["Description"] for row in csv.DictReader(stream) if row["Description"].strip()]
    lines = ["sku,title,description\n"]
    for number in range(6000):
        first, second = texts[number % len(texts)], texts[(number * 7 + 3) % len(texts)]
        words = (first + " " + second).replace('"', "'").replace("\n", " ").split()
        text = " ".join(words[number % 11 : 60 + number % 97])
        lines.append(f'{number:06d},Book {number},"{text}, {mark} volume {number}"\n')
    return "".join(lines).encode()


@contextlib.contextmanager
def running_stack(data_dir: Path, **settings: str) -> Iterator[Stack]:
    """A stack that takes work, with settings of its own; ended with the block."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", str(port)]
    # The tests send the same rows again and again, and want them to be worked on each time.
    environment = os.environ | {
        "SPINELABEL_LABEL_CACHE_ROWS": "0",
        # Receivers in tests are on loopback and have no certificate.
        "SPINELABEL_CALLBACK_HTTP": "true",
        "SPINELABEL_CALLBACK_PRIVATE": "true",
        **settings,
    }
    log = (data_dir / "up.log").open("wb")
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    try:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            said = (data_dir / "up.log").read_text()
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            with contextlib.suppress(httpx.TransportError):
                if http.get("/readyz").status_code == 200:
                    break
            time.sleep(0.2)
        yield Stack(psutil.Process(process.pid), data_dir, http)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        http.close()
        log.close()
