"""`spinelabel label` with a real stack: several files, a pipe, and Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.end_to_end.labelled_csv import LABEL_COLUMNS, parse_csv
from tests.stack import ROOT, Stack, find_worker, many_rows, resume, suspend_with_pool
from tests.waiting import eventually

# Enough for a stack's start, a job and the stack's end on a busy machine.
SECONDS = 600

pytestmark = pytest.mark.timeout(1800)


def command(*arguments: str | Path, data_dir: Path) -> list[str]:
    all_arguments = [*arguments, "--data-dir", data_dir]
    return [sys.executable, "-m", "cli", "label", *map(str, all_arguments)]


def label(*arguments: str | Path, data_dir: Path, stdin: bytes = b"") -> bytes:
    """The standard output of the command."""
    return subprocess.run(
        command(*arguments, data_dir=data_dir),
        input=stdin,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=SECONDS,
    ).stdout


def test_several_files_are_labelled_at_once(stack: Stack, sample: bytes, tmp_path: Path) -> None:
    lines = sample.split(b"\n")
    (tmp_path / "all.csv").write_bytes(sample)
    (tmp_path / "some.csv").write_bytes(b"\n".join(lines[:1] + lines[-30:]))
    output = label(tmp_path / "*.csv", data_dir=stack.data_dir).decode()
    results = [Path(line) for line in output.splitlines()]
    assert [path.name for path in results] == ["all.labelled.csv", "some.labelled.csv"]
    for path in results:
        before = parse_csv(path.with_name(path.name.replace(".labelled", "")).read_bytes())
        after = parse_csv(path.read_bytes())
        assert after[0] == before[0] + LABEL_COLUMNS
        assert [row[: len(before[0])] for row in after] == before


def test_a_catalogue_is_labelled_through_a_pipe(stack: Stack, sample: bytes) -> None:
    result = label("-", data_dir=stack.data_dir, stdin=sample)
    job_id = stack.submit(sample)
    stack.wait(job_id)
    assert result == stack.result(job_id)


def interrupt_label(
    catalogue: Path,
    data_dir: Path,
    ready: Callable[[], object],
    around_ctrl_c: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> str:
    """Start to label and press Ctrl-C once `ready()`; returns standard error.

    Ctrl-C is pressed within `around_ctrl_c`, which is given the command's process id.
    """
    process = subprocess.Popen(
        command(catalogue, data_dir=data_dir), cwd=ROOT, stderr=subprocess.PIPE, text=True
    )

    def may_be_interrupted() -> object:
        assert process.poll() is None, process.communicate()
        return ready()

    eventually(may_be_interrupted, within_s=SECONDS)
    with around_ctrl_c(process.pid):
        process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    return stderr


@contextmanager
def worker_stopped_until_sigterm(command_pid: int) -> Iterator[None]:
    """Stop the worker of the command's own stack until it has been sent SIGTERM.

    Otherwise a fast machine labels the remaining rows while the stack is shutting down.
    """
    worker = find_worker(psutil.Process(command_pid))
    assert worker is not None
    suspended = suspend_with_pool(worker)
    yield
    eventually(lambda: signal.SIGTERM in _pending_signals(worker.pid), within_s=SECONDS)
    resume(suspended)


def _pending_signals(pid: int) -> set[int]:
    """The signals that are pending for the process as a whole."""
    (line,) = [
        line
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("ShdPnd:")
    ]
    mask = int(line.split()[1], 16)
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


def jobs(http: httpx.Client, filename: str) -> list[dict[str, Any]]:
    listed = http.get("/v1/jobs", params={"filename": filename, "limit": 100}).json()["jobs"]
    return list(listed)


def test_repeating_the_command_after_ctrl_c_returns_the_result_of_the_same_job(
    stack: Stack, tmp_path: Path
) -> None:
    catalogue = tmp_path / "interrupted.csv"
    catalogue.write_bytes(many_rows("interrupted"))
    with stack.suspended_worker() as worker:

        def is_half_done() -> bool:
            listed = jobs(stack.http, catalogue.name)
            if listed:
                worker.work_until_half_done(listed[0]["id"])
            return bool(listed)

        stderr = interrupt_label(catalogue, stack.data_dir, is_half_done)
    (job,) = jobs(stack.http, catalogue.name)
    assert f"{job['id']}  interrupted.csv" in stderr
    (labelled,) = json.loads(label(catalogue, "--json", data_dir=stack.data_dir))
    assert labelled["job"]["id"] == job["id"]
    assert len(jobs(stack.http, catalogue.name)) == 1
    assert Path(labelled["output"]).read_bytes() == stack.result(job["id"])


def test_a_job_of_a_stack_that_ended_with_its_command_continues_with_the_next_one(
    tmp_path: Path,
) -> None:
    catalogue, data_dir = tmp_path / "c.csv", tmp_path / "data"
    # More chunks than a worker finishes between SIGTERM and its end.
    rows = 12_000
    catalogue.write_bytes(many_rows(rows=rows))
    # The address of this stack is unknown; labelled chunks appear on the disk.
    stderr = interrupt_label(
        catalogue,
        data_dir,
        lambda: [*data_dir.rglob("parts/*")],
        around_ctrl_c=worker_stopped_until_sigterm,
    )
    assert f"It stays in {data_dir}" in stderr
    assert not [p for p in psutil.process_iter() if str(data_dir) in " ".join(_command_line(p))]
    (job_folder,) = data_dir.rglob("jobs/*")
    assert not [*job_folder.glob("result*")]
    (labelled,) = json.loads(label(catalogue, "--json", data_dir=data_dir))
    assert labelled["job"]["id"] == job_folder.name
    assert labelled["job"]["state"] == "completed"
    assert len(parse_csv(Path(labelled["output"]).read_bytes())) == 1 + rows


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
