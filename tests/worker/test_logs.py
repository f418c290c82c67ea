"""What the worker's processes write to stderr."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import WITHIN_S, eventually


def test_each_line_is_a_json_object(redis_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {
        "SPINELABEL_REDIS_URL": redis_url,
        "SPINELABEL_STORAGE_URL": str(tmp_path / "storage"),
        "SPINELABEL_CONCURRENCY": "1",
        "SPINELABEL_MODEL_TARGET": f"unix:{tmp_path / 'absent.sock'}",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker"],
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
        )
    try:
        eventually(lambda: " ready." in log.read_text(), what=log.read_text)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WITHIN_S)
    # Celery prints its last line without `logging`.
    lines = [
        line
        for line in log.read_text().splitlines()
        if line and line != "worker: Warm shutdown (MainProcess)"
    ]
    assert lines
    for line in lines:
        assert {"timestamp", "level", "logger", "event"} <= json.loads(line).keys()
