"""Faults in the middle of a job: the job completes and its result has the same bytes."""

from __future__ import annotations

import pytest

from tests.compose.stack import JOB_SECONDS, Stack, timed

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]


def test_an_upload_is_labelled_and_downloaded(undisturbed: bytes) -> None:
    assert undisturbed


def test_workers_can_be_added_and_removed_in_the_middle_of_a_job(
    stack: Stack, catalogue: bytes, undisturbed: bytes
) -> None:
    with timed("job with --scale worker=3 and back"):
        job_id = stack.service.submit(catalogue)
        stack.service.wait_in_progress(job_id)
        stack.project.compose("up", "--detach", "--no-build", "--scale", "worker=3")
        stack.service.wait_ready(workers=3)
        stack.project.compose("up", "--detach", "--no-build", "--scale", "worker=1")
        state = stack.service.job(job_id)["state"]
        result = stack.service.wait_result(job_id, seconds=JOB_SECONDS)
    assert len(stack.project.containers("worker")) == 1
    assert state == "in_progress", (
        "the catalogue is too small: the job ended before the scaling did"
    )
    assert result == undisturbed


@pytest.mark.parametrize("service", ["worker", "model", "redis", "api"])
def test_a_killed_container_is_restarted_and_the_job_completes(
    stack: Stack, catalogue: bytes, undisturbed: bytes, service: str
) -> None:
    with timed(f"job with {service} killed"):
        job_id = stack.service.submit(catalogue)
        stack.service.wait_in_progress(job_id)
        container_id = stack.project.kill(service)
        result = stack.service.wait_result(job_id, seconds=JOB_SECONDS)
    assert result == undisturbed
    (container,) = stack.project.containers(service)
    assert container["Id"] == container_id
    assert container["RestartCount"] >= 1
    stack.project.wait_healthy(service, seconds=240)


def test_after_down_and_up_the_unfinished_job_completes_and_results_remain(
    stack: Stack, catalogue: bytes, undisturbed: bytes
) -> None:
    earlier = stack.service.submit(catalogue[: catalogue.index(b"\n", 100_000) + 1])
    earlier_result = stack.service.wait_result(earlier, seconds=JOB_SECONDS)
    with timed("job with down and up"):
        job_id = stack.service.submit(catalogue)
        stack.service.wait_in_progress(job_id)
        with timed("down"):
            stack.project.compose("down")
        assert stack.project.containers() == []
        with timed("up"):
            stack.up()
        result = stack.service.wait_result(job_id, seconds=JOB_SECONDS)
    assert result == undisturbed
    assert stack.service.result(earlier) == earlier_result
