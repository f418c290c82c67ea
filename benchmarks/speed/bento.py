"""BentoML: starts the service, submits a task, polls its status, fetches the result.

Prints the seconds from the submission until the result is fetched, without start and loading.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from benchmarks.speed.signature import parse_arguments

ROOT = Path(__file__).parents[2]
_READY_S = 120
_POLL_S = 0.05
_UNFINISHED = ("pending", "in_progress")


def _wait_until_ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the BentoML service did not start")


def main() -> None:
    arguments = parse_arguments(__doc__)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "BENCH_MODEL": str(arguments.model),
        "BENCH_COLUMN": arguments.column,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(arguments.output.parent / "bentoml"),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "bentoml", "serve", "benchmarks.speed.bento_service:Labels",
         "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT, env=os.environ | environment, stdout=sys.stderr, stderr=sys.stderr,
    )  # fmt: skip
    try:
        # In this version BentoML's own client cannot submit files to a task; the HTTP interface
        # can.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client:
            _wait_until_ready(client, server)
            started = time.perf_counter()
            with arguments.catalogue.open("rb") as stream:
                response = client.post("/label/submit", files={"catalogue": stream})
            task = {"task_id": response.raise_for_status().json()["task_id"]}
            while (
                status := client.get("/label/status", params=task).json()["status"]
            ) in _UNFINISHED:
                time.sleep(_POLL_S)
            arguments.output.write_bytes(
                client.get("/label/get", params=task).raise_for_status().content
            )
            print(f"{time.perf_counter() - started:.3f}")
            if status != "completed":
                raise SystemExit(f"the task ended as {status}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
