"""Generated requests, valid and invalid, get documented responses from the server process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.api.conftest import StartApi
from tests.waiting import WITHIN_S

CONFIG = Path(__file__).with_name("schemathesis.toml")
MODEL = {"version": 1, "labels": ["crime", "poetry"], "evidence": True}
EXAMPLES = 15
TIMEOUT_S = 180


def test_schemathesis_finds_no_failures(
    start_api: StartApi, redis_url: str, tmp_path: Path
) -> None:
    api = start_api(SPINELABEL_LABEL_TIMEOUT_S="0.2")
    with reporting_worker(redis_url):
        result = run_schemathesis(api.url, tmp_path)
    # The output repeats every long value that was sent.
    report = "\n".join(line[:400] for line in (result.stdout + result.stderr).splitlines())
    assert result.returncode == 0, report
    assert httpx.get(f"{api.url}/healthz", timeout=WITHIN_S).status_code == 200
    assert "Traceback" not in api.log.read_text()


def run_schemathesis(url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={CONFIG}",
            "run",
            f"{url}/openapi.json",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--continue-on-failure",
            "--request-timeout=120",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@contextmanager
def reporting_worker(redis_url: str) -> Iterator[None]:
    """Report like a worker every few seconds, so that the service is ready; nothing is labelled."""
    stop = threading.Event()

    def report() -> None:
        store = redis_job_store(redis_client(redis_url))
        store.workers.report("one", MODEL)
        while not stop.wait(3):
            store.workers.report("one", MODEL)

    thread = threading.Thread(target=report)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
