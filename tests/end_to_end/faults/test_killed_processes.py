"""Killing any one process loses nothing and changes no byte of the result."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import pytest

from tests.stack import Stack


@pytest.fixture(scope="module")
def undisturbed(stack: Stack, catalogue: bytes) -> bytes:
    job_id = stack.submit(catalogue)
    assert stack.wait(job_id)["state"] == "completed"
    return stack.result(job_id)


VICTIMS: dict[str, Callable[[Stack], psutil.Process]] = {
    "a worker's child": lambda stack: stack.worker_children()[0],
    "the worker": lambda stack: stack.worker(),
    "the model server": lambda stack: stack.processes("-m serving")[0],
    "Redis": lambda stack: stack.processes("redis")[0],
    "the API": lambda stack: stack.processes("-m api")[0],
    "the scheduler": lambda stack: stack.processes("-m worker beat")[0],
}


@pytest.mark.parametrize("name", VICTIMS)
def test_a_job_survives_the_kill_of(
    stack: Stack, catalogue: bytes, undisturbed: bytes, name: str
) -> None:
    with stack.suspended_worker() as worker:
        job_id = stack.submit(catalogue)
        worker.work_until_half_done(job_id)
        VICTIMS[name](stack).kill()
    job = stack.wait(job_id)
    assert job["state"] == "completed"
    assert stack.result(job_id) == undisturbed


def test_api_and_worker_load_no_tensorflow_and_little_memory(
    stack: Stack, undisturbed: bytes
) -> None:
    assert undisturbed
    for name, bound in (("-m worker", 200), ("-m api", 150)):
        for process in stack.processes(name):
            libraries = {mapped.path for mapped in process.memory_maps(grouped=True)}
            assert not [path for path in libraries if "tensorflow" in path]
            assert process.memory_info().rss < bound * 2**20, process.cmdline()
