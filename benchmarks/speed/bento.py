"""BentoML: starts the service, sends it the catalogue as a task, asks until it is done, fetches the result.

Prints the seconds from sending to having fetched; starting and loading are not counted.
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

from benchmarks.speed.signature import options

ROOT = Path(__file__).parents[2]
_READY_S = 120
_ASK_EVERY_S = 0.05
_UNDER_WAY = ("pending", "in_progress")


def _wait_until_ready(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the BentoML service does not start")


def main() -> None:
    given = options(__doc__)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "BENCH_MODEL": str(given.model), "BENCH_COLUMN": given.column, "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(given.output.parent / "bentoml"),
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "bentoml", "serve", "benchmarks.speed.bento_service:Labels",
         "--host", "127.0.0.1", "--port", str(port)],
        cwd=ROOT, env=os.environ | environment, stdout=sys.stderr, stderr=sys.stderr,
    )  # fmt: skip
    try:
        # BentoML's own client cannot submit files to a task in this version; its HTTP interface can.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as client:
            _wait_until_ready(client, server)
            began = time.perf_counter()
            with given.catalogue.open("rb") as stream:
                answer = client.post("/label/submit", files={"catalogue": stream})
            task = {"task_id": answer.raise_for_status().json()["task_id"]}
            while (
                status := client.get("/label/status", params=task).json()["status"]
            ) in _UNDER_WAY:
                time.sleep(_ASK_EVERY_S)
            given.output.write_bytes(
                client.get("/label/get", params=task).raise_for_status().content
            )
            print(f"{time.perf_counter() - began:.3f}")
            if status != "completed":
                raise SystemExit(f"the task ended as {status}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
