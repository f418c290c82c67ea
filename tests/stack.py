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

from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample_catalogue.csv"
# Each ten times and more of what an idle machine takes; a wait ends as soon as its condition is true.
READY_SECONDS = 400.0
JOB_SECONDS = 400.0
_ANSWER_SECONDS = 120.0
_STOP_SECONDS = 120.0


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
        """The Celery worker's main process, which is started again when it has died."""

        def running() -> psutil.Process | None:
            with contextlib.suppress(psutil.Error):
                for process in self.processes("-m worker"):
                    if process.cmdline()[-1:] == ["worker"]:
                        return process
            return None

        return eventually(running, within_s=READY_SECONDS)

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
        last: dict[str, object] = {}

        def has_come() -> bool:
            with contextlib.suppress(httpx.TransportError):
                answer = self.http.get(f"/v1/jobs/{job_id}")
                last.update(answer.json())
                if answer.status_code != 503:
                    assert answer.status_code == 200, answer.text
                    return last["state"] in wanted
            return False

        eventually(has_come, within_s=JOB_SECONDS, every_s=0.1, what=lambda: last)
        return self.job(job_id)

    def is_half_done(self, job_id: str) -> bool:
        """Whether some rows are labelled and some are not. Fails once none is left."""
        # From the list, which is not cached as single jobs are.
        listed = self.http.get("/v1/jobs", params={"limit": 100}).raise_for_status().json()
        job = next(job for job in listed["jobs"] if job["id"] == job_id)
        assert job["state"] in ("queued", "validating", "in_progress"), f"no row is left: {job}"
        return bool(job["row_counts"]["labelled"] and job["row_counts"]["pending"])

    @contextlib.contextmanager
    def held(self) -> Iterator[HeldWorker]:
        """The worker is stopped (SIGSTOP) during the block, and continues after it."""
        held = HeldWorker(self)
        held.stop()
        try:
            yield held
        finally:
            held.resume()

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

        def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return self.http.get("/healthz").status_code == 200
            return False

        eventually(answers, within_s=READY_SECONDS, every_s=0.1)

    def result(self, job_id: str) -> bytes:
        answer = self.http.get(f"/v1/jobs/{job_id}/result")
        assert answer.status_code == 200, answer.text
        return answer.content


class HeldWorker:
    """A stopped worker that can be let work for short whiles, so that a job is half-done on any machine."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stopped: list[psutil.Process] = []

    def stop(self) -> None:
        """Stop the main process, then those of its pool, which it then cannot replace."""
        # Those that are known at once: to look for others takes a busy machine as long as a chunk.
        for process in self._stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        worker = self._stack.worker()
        worker.suspend()
        self._stopped = [worker, *worker.children()]
        for process in self._stopped[1:]:
            process.suspend()

    def resume(self) -> None:
        """Let them continue, but for those that the test has killed."""
        for process in reversed(self._stopped):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def work_until_half_done(self, job_id: str) -> None:
        """Let the worker run until some rows of the job are labelled, but not all; it is stopped again on return.

        It runs for longer and longer whiles, each a tenth of all before it. So however fast the machine is, the last
        while is a small share of what the first chunk takes, and however slow, there are few of them.
        """
        worked_s = 0.2

        def works() -> bool:
            nonlocal worked_s
            self.resume()
            time.sleep(worked_s / 10)
            self.stop()
            worked_s *= 1.1
            return self._stack.is_half_done(job_id)

        eventually(works, within_s=JOB_SECONDS, every_s=0)


def many_rows(mark: str = "", rows: int = 6000) -> bytes:
    """A catalogue of different rows, three chunks by default, made from the sample's own words.

    With a mark, a word that no other text has, none of its rows is known from earlier jobs.
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


def log_of(data_dir: Path) -> Path:
    """What the stack on a data folder says in its terminal. Beside the folder, which is the stack's alone."""
    return data_dir.with_name(f"{data_dir.name}.up.log")


@contextlib.contextmanager
def running_stack(data_dir: Path, **settings: str) -> Iterator[Stack]:
    """A stack that takes work, with settings of its own; ended with the block."""
    port = free_port()
    command = [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", str(port)]
    # The tests send the same rows again and again, and want them to be worked on each time.
    environment = os.environ | {
        "SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES": "0",
        # Receivers in tests are on loopback and have no certificate.
        "SPINELABEL_WEBHOOK_ALLOW_HTTP": "true",
        "SPINELABEL_WEBHOOK_ALLOW_PRIVATE": "true",
        "SPINELABEL_LABEL_TIMEOUT_S": str(_ANSWER_SECONDS / 2),
        **settings,
    }
    log = log_of(data_dir).open("wb")

    def said() -> str:
        return log_of(data_dir).read_text()

    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
    )
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_ANSWER_SECONDS)
    try:

        def takes_work() -> bool:
            assert process.poll() is None, said()
            with contextlib.suppress(httpx.TransportError):
                return http.get("/readyz").status_code == 200
            return False

        eventually(takes_work, within_s=READY_SECONDS, every_s=0.1, what=said)
        yield Stack(psutil.Process(process.pid), data_dir, http)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_STOP_SECONDS)
        http.close()
        log.close()
