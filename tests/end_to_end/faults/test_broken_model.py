"""A model that cannot be loaded is reported by `up` in its terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.stack import ROOT, free_port
from tests.waiting import WITHIN_S, eventually


def test_up_reports_a_model_that_does_not_load_and_keeps_running(tmp_path: Path) -> None:
    version = tmp_path / "models" / "genre" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"garbage")
    log, port = tmp_path / "up.log", free_port()
    arguments = ["up", "--data-dir", tmp_path / "data", "--model-root", tmp_path / "models"]
    command = [sys.executable, "-m", "cli", *map(str, arguments), "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        eventually(
            lambda: "serving error: version_load_failed version=1" in log.read_text(),
            what=log.read_text,
        )

        def not_ready() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 503
            except httpx.TransportError:  # the API is still starting
                return False

        eventually(not_ready)
        assert process.poll() is None  # a version that loads may still be published
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0
