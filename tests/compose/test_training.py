"""The `train` profile beside a running stack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compose.catalogue import big_catalogue, check_labelled
from tests.compose.stack import JOB_SECONDS, Stack, timed

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

# A model of no use, in a minute: what is tested is its way into the stack.
QUICK = {
    "split": {"folds": 2},
    "embedding": {"dimensions": 16, "epochs": 1},
    "model": {"units": 8, "hidden": 8},
    "pretraining": {"epochs": 1},
    "training": {"epochs": 2},
}


def started(stack: Stack) -> dict[str, str]:
    return {
        container["Name"]: container["State"]["StartedAt"]
        for service in ("model", "worker", "api")
        for container in stack.project.containers(service)
    }


def model_version(stack: Stack) -> int:
    return int(stack.service.wait("/v1/model", bool, seconds=60, what="a model")["version"])


def test_a_retrained_model_is_taken_up_without_a_restart(stack: Stack, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(QUICK))
    before, version = started(stack), model_version(stack)
    with timed("a short training, until its model labels"):
        words = ("run", "--rm", "-T", "--volume", f"{config}:/config.json:ro", "trainer")
        stack.project.compose(*words, "--config", "/config.json", timeout_s=600)
        stack.service.wait(
            "/v1/model",
            lambda model: model["version"] == version + 1,
            seconds=60,
            what="the workers reach the new version",
        )
    catalogue = big_catalogue(2_000, seed=3)
    job_id = stack.service.submit(catalogue)
    check_labelled(catalogue, stack.service.completed(job_id, seconds=JOB_SECONDS))
    assert stack.service.job(job_id)["model_version"] == version + 1
    assert started(stack) == before
