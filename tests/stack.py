"""The local stack as a user starts it: real Redis, worker, model server and API."""

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

from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample_catalogue.csv"
# At least ten times the duration on an idle machine; a wait ends when its condition is true.
READY_TIMEOUT_S = 400.0
JOB_TIMEOUT_S = 400.0
_RESPONSE_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 120.0


def free_port() -> int:
    """A TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_worker(supervisor: psutil.Process) -> psutil.Process | None:
    """The main process of the worker of a stack, if it is running."""
    with contextlib.suppress(psutil.Error):
        # Pool processes have the same command line, but come after their parent.
        for process in _descendants(supervisor, "-m worker"):
            if process.cmdline()[-1:] == ["worker"]:
                return process
    return None


def _descendants(ancestor: psutil.Process, command: str) -> list[psutil.Process]:
    matching = []
    for process in ancestor.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if command in " ".join(process.cmdline()):
                matching.append(process)
    return matching


def suspend_with_pool(worker: psutil.Process) -> list[psutil.Process]:
    """Suspend the main process, then those of its pool, which it then cannot replace."""
    worker.suspend()
    suspended = [worker, *worker.children()]
    for process in suspended[1:]:
        process.suspend()
    return suspended


def resume(suspended: list[psutil.Process]) -> None:
    """Resume the processes that are still alive, the main process last."""
    for process in reversed(suspended):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


@dataclass
class Stack:
    """A running local stack and a client of its API."""

    supervisor: psutil.Process
    data_dir: Path
    http: httpx.Client

    def processes(self, command: str) -> list[psutil.Process]:
        """Processes of this stack whose command line contains `command`, parents first."""
        return _descendants(self.supervisor, command)

    def worker(self) -> psutil.Process:
        """The main process of the Celery worker; waits while it is being restarted."""
        return eventually(lambda: find_worker(self.supervisor), within_s=READY_TIMEOUT_S)

    def worker_children(self) -> list[psutil.Process]:
        """The worker's pool processes."""
        return self.worker().children()

    def submit(self, content: bytes, **options: str) -> str:
        """Upload a catalogue. Returns the id of the job."""
        response = self.http.post(
            "/v1/jobs", files={"file": ("catalogue.csv", content)}, data=options
        )
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def job(self, job_id: str) -> dict[str, object]:
        """The job as the API describes it."""
        response = self.http.get(f"/v1/jobs/{job_id}")
        assert response.status_code == 200, response.text
        document: dict[str, object] = response.json()
        return document

    def wait(self, job_id: str, *states: str) -> dict[str, object]:
        """Poll until the job is in one of `states` (default: any terminal one), and return it.

        Continues while the API or its Redis is unreachable.
        """
        wanted = states or ("completed", "failed", "cancelled", "expired")
        last: dict[str, object] = {}

        def is_reached() -> bool:
            with contextlib.suppress(httpx.TransportError):
                response = self.http.get(f"/v1/jobs/{job_id}")
                last.update(response.json())
                if response.status_code != 503:
                    assert response.status_code == 200, response.text
                    return last["state"] in wanted
            return False

        eventually(is_reached, within_s=JOB_TIMEOUT_S, every_s=0.1, what=lambda: last)
        return self.job(job_id)

    def is_half_done(self, job_id: str) -> bool:
        """Whether some rows are labelled and some are not. Raises `AssertionError` at the end."""
        # From the list, because single jobs are cached.
        listed = self.http.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()
        job = next(job for job in listed["jobs"] if job["id"] == job_id)
        assert job["state"] in ("queued", "validating", "in_progress"), (
            f"all rows are labelled: {job}"
        )
        return bool(job["row_counts"]["labelled"] and job["row_counts"]["pending"])

    @contextlib.contextmanager
    def suspended_worker(self) -> Iterator[SuspendedWorker]:
        """Suspend the worker (SIGSTOP) during the block."""
        worker = SuspendedWorker(self)
        worker.suspend()
        try:
            yield worker
        finally:
            worker.resume()

    @contextlib.contextmanager
    def without_api(self) -> Iterator[None]:
        """Kill the API and prevent its restart during the block."""
        self.supervisor.suspend()
        try:
            for process in self.processes("-m api"):
                process.kill()
            yield
        finally:
            self.supervisor.resume()

    def wait_for_api(self) -> None:
        """Wait until the API responds."""

        def responds() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return self.http.get("/healthz").status_code == 200
            return False

        eventually(responds, within_s=READY_TIMEOUT_S, every_s=0.1)

    def result(self, job_id: str) -> bytes:
        """The result as CSV."""
        response = self.http.get(f"/v1/jobs/{job_id}/result")
        assert response.status_code == 200, response.text
        return response.content


class SuspendedWorker:
    """A suspended worker that can run briefly, so that a job is half done on any machine."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._suspended: list[psutil.Process] = []

    def suspend(self) -> None:
        """Suspend the main process, then those of its pool, which it then cannot replace."""
        # First the known ones: on a busy machine, listing processes takes as long as a chunk.
        for process in self._suspended:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        self._suspended = suspend_with_pool(self._stack.worker())

    def resume(self) -> None:
        """Resume the processes that are still alive."""
        resume(self._suspended)

    def work_until_half_done(self, job_id: str) -> None:
        """Run the worker until some rows of the job are labelled, but not all; then suspend it.

        It runs in intervals, each a tenth of the sum of the previous ones. So the last interval is
        short compared with a chunk on a fast machine, and there are few intervals on a slow one.
        """
        elapsed_s = 0.2

        def runs_once() -> bool:
            nonlocal elapsed_s
            self.resume()
            time.sleep(elapsed_s / 10)
            self.suspend()
            elapsed_s *= 1.1
            return self._stack.is_half_done(job_id)

        eventually(runs_once, within_s=JOB_TIMEOUT_S, every_s=0)


def many_rows(mark: str = "", rows: int = 6000) -> bytes:
    """A catalogue of distinct rows from the words of the sample; three chunks by default.

    A `mark`, a word that occurs in no other text, excludes hits in the prediction cache.
    """
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        texts = [row["Description"] for row in csv.DictReader(stream) if row["Description"].strip()]
    lines = ["sku,title,description\n"]
    for number in range(rows):
        first, second = texts[number % len(texts)], texts[(number * 7 + 3) % len(texts)]
        words = (first + " " + second).replace('"', "'").replace("\n", " ").split()
        text = " ".join(words[number % 11 : 60 + number % 97])
        lines.append(f'{number:06d},Book {number},"{text}, {mark} volume {number}"\n')
    return "".join(lines).encode()


def log_path(data_dir: Path) -> Path:
    """The terminal output of the stack with this data folder; beside the folder, not in it."""
    return data_dir.with_name(f"{data_dir.name}.up.log")


@contextlib.contextmanager
def running_stack(data_dir: Path, **settings: str) -> Iterator[Stack]:
    """Start a stack with these settings, wait until it is ready, and stop it after the block."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", str(port)]
    # The tests send the same rows repeatedly; each time they are to be labelled.
    environment = os.environ | {
        "SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES": "0",
        # Webhook receivers in tests are on loopback and have no certificate.
        "SPINELABEL_WEBHOOK_ALLOW_HTTP": "true",
        "SPINELABEL_WEBHOOK_ALLOW_PRIVATE": "true",
        "SPINELABEL_LABEL_TIMEOUT_S": str(_RESPONSE_TIMEOUT_S / 2),
        **settings,
    }
    log = log_path(data_dir).open("wb")

    def output() -> str:
        return log_path(data_dir).read_text()

    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_RESPONSE_TIMEOUT_S)
    try:

        def is_ready() -> bool:
            assert process.poll() is None, output()
            with contextlib.suppress(httpx.TransportError):
                return http.get("/readyz").status_code == 200
            return False

        eventually(is_ready, within_s=READY_TIMEOUT_S, every_s=0.1, what=output)
        yield Stack(psutil.Process(process.pid), data_dir, http)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_STOP_TIMEOUT_S)
        http.close()
        log.close()
