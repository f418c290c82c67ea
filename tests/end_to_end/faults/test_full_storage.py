"""With a full Redis or disk, jobs can be read and deleted, and continue once there is space."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from benchmarks.chaos.faults.disk import small_disk
from cli.local_stack.data.redis_server import socket_path
from tests.stack import ROOT, Stack, running_stack
from tests.waiting import eventually

ENDED = ("completed", "failed", "cancelled", "expired")


def redis_of(stack: Stack) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket_path(stack.data_dir / "redis")))


def checks(stack: Stack) -> dict[str, dict[str, object]]:
    current: dict[str, dict[str, object]] = stack.http.get("/readyz").json()["checks"]
    return current


def worker_log(stack: Stack) -> str:
    return (stack.data_dir / "logs" / "worker.log").read_text(errors="replace")


def use_key(stack: Stack) -> None:
    """Use a key, so that requests count towards its rate limit."""
    command = [sys.executable, "-m", "cli", "keys", "--data-dir", str(stack.data_dir)]
    result = subprocess.run(
        [*command, "create", "--owner", "anna", "--json"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    stack.http.headers["Authorization"] = f"Bearer {json.loads(result.stdout)['key']}"


@contextlib.contextmanager
def full_memory(stack: Stack) -> Iterator[None]:
    with redis_of(stack) as client:
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)


def test_with_full_redis_memory_jobs_are_read_and_deleted_and_continue_afterwards(
    tmp_path: Path, sample: bytes, catalogue: bytes
) -> None:
    with running_stack(tmp_path, SPINELABEL_AUTH="required") as stack:
        use_key(stack)
        done = stack.submit(sample)
        assert stack.wait(done)["state"] == "completed"
        result = stack.result(done)
        worker_process = stack.worker()
        with contextlib.ExitStack() as contexts:
            with stack.suspended_worker() as worker:
                under_way = stack.submit(catalogue)
                worker.work_until_half_done(under_way)
                contexts.enter_context(full_memory(stack))
            eventually(lambda: not checks(stack)["redis"]["ok"])
            assert "memory is full" in str(checks(stack)["redis"]["detail"])
            eventually(lambda: "Redis refuses writes" in worker_log(stack))
            assert stack.job(done)["state"] == "completed"
            assert stack.result(done) == result
            listed = stack.http.get("/v1/jobs").raise_for_status().json()["jobs"]
            assert {job["id"] for job in listed} == {done, under_way}
            refused = stack.http.post("/v1/jobs", files={"file": ("a.csv", sample)})
            assert (refused.status_code, refused.json()["code"]) == (507, "JOB_STORE_FULL")
            refused = stack.http.post(f"/v1/jobs/{under_way}/cancel")
            assert (refused.status_code, refused.json()["code"]) == (507, "JOB_STORE_FULL")
            assert stack.http.delete(f"/v1/jobs/{done}").status_code == 204
            assert stack.http.get(f"/v1/jobs/{done}").status_code == 404
            assert stack.job(under_way)["state"] == "in_progress"
        job = stack.wait(under_way)
        assert (job["state"], job["row_counts"]["failed"]) == ("completed", 0)  # type: ignore[index]
        assert stack.worker() == worker_process
        eventually(lambda: stack.http.get("/readyz").status_code == 200)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a small disk."""
    with small_disk(tmp_path / "disk") as reason:
        if reason is not None:
            if os.environ.get("CI"):
                pytest.fail(f"CI must be able to mount a small disk: {reason}")
            pytest.skip(reason)
        yield tmp_path / "disk"


def fill(folder: Path) -> Path:
    """Fill the disk of the folder with one file."""
    filler = os.open(folder / "filler", os.O_CREAT | os.O_WRONLY)
    try:
        with contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        os.write(filler, b"x" * size)
    finally:
        os.close(filler)
    return folder / "filler"


def test_a_full_disk_stops_neither_the_stack_nor_a_job(
    disk: Path, catalogue: bytes, sample: bytes
) -> None:
    with running_stack(disk) as stack:
        done = stack.submit(sample)
        assert stack.wait(done)["state"] == "completed"
        with stack.suspended_worker() as worker:
            job_id = stack.submit(catalogue)
            worker.work_until_half_done(job_id)
            filler = fill(disk)
        try:
            eventually(lambda: "disk is full" in str(checks(stack)["redis"].get("detail")))
            # More restarts than the former limit of ten in a row.
            for _ in range(11):
                worker_process = stack.worker()
                worker_process.kill()
                eventually(lambda pid=worker_process.pid: restarted(stack, pid))  # type: ignore[misc]
            assert stack.job(done)["state"] == "completed"
            assert stack.http.get("/v1/jobs").status_code == 200
            refused = stack.http.post("/v1/jobs", files={"file": ("a.csv", sample)})
            assert refused.status_code in (503, 507)
        finally:
            filler.unlink()
        job = stack.wait(job_id)
        assert (job["state"], job["row_counts"]["failed"]) == ("completed", 0)  # type: ignore[index]
        assert stack.supervisor.is_running()


def restarted(stack: Stack, old_pid: int) -> bool:
    with contextlib.suppress(StopIteration, httpx.TransportError):
        return stack.worker().pid != old_pid
    return False
