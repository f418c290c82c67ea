"""A model that cannot be loaded: `up` says why, in the terminal in which it was started."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.stack import ROOT, free_port
from tests.waiting import WITHIN_S, eventually


def test_up_says_why_the_model_does_not_load_and_goes_on(tmp_path: Path) -> None:
    version = tmp_path / "models" / "genre" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"garbage")
    log, port = tmp_path / "up.log", free_port()
    words = ["up", "--data-dir", tmp_path / "data", "--model-root", tmp_path / "models"]
    command = [sys.executable, "-m", "cli", *map(str, words), "--port", str(port)]
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
            except httpx.TransportError:  # it is still starting
                return False

        eventually(not_ready)
        assert process.poll() is None  # a version that loads may still be published
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN_S) == 0
