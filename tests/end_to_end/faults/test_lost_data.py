"""A stack stops with a reason if its data folder is deleted or its append-only file is damaged."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.local_stack.data.append_only_files import change, newest, overwrite_the_middle
from tests.stack import ROOT, SAMPLE, log_path, running_stack

SECONDS = 600


def up(data_dir: Path) -> subprocess.CompletedProcess[str]:
    """Start a stack that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "up", "--data-dir", str(data_dir), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )


def test_a_damaged_append_only_file_and_a_deleted_folder_stop_the_stack(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "data"
    with running_stack(data_dir) as stack:
        job = stack.wait(stack.submit(SAMPLE.read_bytes()))
    copy = tmp_path / "copy"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns("*.sock"))

    change(newest(data_dir / "redis"), overwrite_the_middle)
    result = up(data_dir)
    assert result.returncode == 3
    assert "is damaged: of its" in result.stdout
    assert "restore a copy of the data folder" in result.stdout
    assert "redis-check-aof" in result.stdout

    shutil.rmtree(data_dir)
    copy.rename(data_dir)  # the first remedy of the message
    with running_stack(data_dir) as stack:
        assert stack.job(str(job["id"]))["state"] == "completed"
        shutil.rmtree(data_dir)
        assert stack.supervisor.wait(SECONDS) == 3
        with pytest.raises(httpx.TransportError):
            stack.submit(SAMPLE.read_bytes())
    assert "was deleted or replaced while the stack was running" in log_path(data_dir).read_text()
