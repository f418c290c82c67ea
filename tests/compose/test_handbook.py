"""The commands of the operators' handbook, run in a checkout from the first start on."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compose.catalogue import check_labelled, large_catalogue
from tests.compose.checkout import Checkout
from tests.compose.conftest import host_certificates
from tests.compose.engine import ROOT, run
from tests.compose.service import Service
from tests.compose.stack import JOB_SECONDS, Stack, new_project, timed
from tests.docs.claimed_blocks import ClaimedBlocks
from tests.docs.pages import read_page
from tests.quick_training import QUICK, books
from tests.stack import SAMPLE

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

TAG = "handbook"
HANDBOOK = ClaimedBlocks("docs/operators.md", __file__)
SECRET = HANDBOOK.claim("openssl rand")
START = HANDBOOK.claim("--build")
KEYS = HANDBOOK.claim("api.keys create")
BACK_UP = HANDBOOK.claim("-czf")
RESTORE = HANDBOOK.claim("-xzpf")
SCALE = HANDBOOK.claim("--scale")
UPGRADE = HANDBOOK.claim("git pull")
RETRAIN = HANDBOOK.claim("run --rm trainer")
EVALUATION = HANDBOOK.claim("runs.tar")
ROLL_BACK = HANDBOOK.claim("rm setup")
# Its images cannot be pulled in tests, but Compose can parse its command.
(MONITORING,) = [
    block for block in read_page(ROOT / "docs/operators.md").blocks if "monitoring" in block.text
]


@dataclass
class Operator(Stack):
    """A stack and the checkout from which it was started."""

    checkout: Checkout

    def model_version(self) -> int:
        return int(self.service.wait("/v1/model", bool, seconds=240, what="a model")["version"])

    def wait_version(self, version: int) -> None:
        self.service.wait(
            "/v1/model",
            lambda model: model["version"] == version,
            seconds=240,
            what=f"the workers reach version {version}",
        )

    def api_keys(self) -> list[dict[str, Any]]:
        output = self.checkout.run("docker compose exec -T api python -m api.keys list --json")
        keys: list[dict[str, Any]] = json.loads(output)
        return keys


@pytest.fixture(scope="module")
def operator(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """The first day: an own password, and the start."""
    project = new_project(images, SPINELABEL_TAG=TAG)
    settings = {"SPINELABEL_PUBLISH": f"127.0.0.1:{project.port}", "SPINELABEL_TAG": TAG}
    checkout = Checkout(tmp_path_factory.mktemp("operator"), project.name, settings)
    service = Service(f"http://127.0.0.1:{project.port}")
    try:
        with host_certificates(checkout.folder), timed("the handbook's start"):
            checkout.run_block(SECRET)
            checkout.run_block(START)
            service.wait_ready()
            yield Operator(project, service, checkout)
    finally:
        service.close()
        project.remove()
        # By name, because an unchanged image also has the name of the other tests.
        names = ("--filter", f"reference=*/*:{TAG}", "--format", "{{.Repository}}:{{.Tag}}")
        run("docker", "image", "rm", *run("docker", "image", "ls", *names).split())


def test_every_block_that_names_this_file_is_run() -> None:
    assert HANDBOOK.unclaimed == []


def test_the_stack_uses_the_operators_password(operator: Operator) -> None:
    stored = operator.checkout.run("docker compose exec -T redis cat /secrets/redis_password")
    chosen = (operator.checkout.folder / "deploy/secrets/redis_password").read_text("utf-8")
    assert stored == chosen
    assert len(chosen.strip()) == 48


def test_keys_are_created_listed_and_revoked(operator: Operator) -> None:
    create = "docker compose exec -T api python -m api.keys create --owner bob --json"
    key_id = json.loads(operator.checkout.run(create))["id"]
    output = operator.checkout.run_block(KEYS, {"sl_0a1b2c3d4e5f": key_id})
    assert key_id in output
    keys = {key["owner"]: key for key in operator.api_keys()}
    assert keys["bob"]["revoked_at"]
    assert not keys["anna"]["revoked_at"]
    assert keys["root"]["admin"]


def test_a_backup_can_be_restored(operator: Operator) -> None:
    service, folder = operator.service, operator.checkout.folder
    job = service.submit(SAMPLE.read_bytes())
    result = service.wait_result(job, seconds=240)
    operator.checkout.run_block(BACK_UP)
    assert {path.name for path in folder.glob("*.tgz")} == {
        "redis.tgz",
        "storage.tgz",
        "models.tgz",
    }
    operator.checkout.run("docker compose down --volumes")
    assert operator.project.name not in run("docker", "volume", "ls", "--quiet")
    operator.checkout.run_block(RESTORE)
    service.wait_ready()
    assert service.job(job)["state"] == "completed"
    assert service.result(job) == result
    repeated = service.submit(SAMPLE.read_bytes())
    assert service.wait_result(repeated, seconds=240) == result


def test_workers_can_be_added(operator: Operator) -> None:
    operator.checkout.run_block(SCALE)
    operator.service.wait_ready(workers=3)
    assert len(operator.project.containers("worker")) == 3


def test_a_release_is_pulled_built_and_started(operator: Operator) -> None:
    page = "api/static/index.html"
    mark = "<!-- of the next release -->"
    content = (operator.checkout.folder / page).read_text("utf-8")
    config = json.dumps(QUICK)
    operator.checkout.release({page: content + mark, "training/config.json": config})
    with timed("the handbook's upgrade"):
        operator.checkout.run_block(UPGRADE)
        operator.service.wait_ready()
    response = operator.service.get("/")
    assert response is not None
    assert mark in response.text
    assert len(operator.project.containers("worker")) == 1


def test_the_commands_of_the_troubleshooting_tables_work(operator: Operator) -> None:
    commands = {
        name
        for name in read_page(ROOT / "docs" / "operators.md").names
        if re.fullmatch(r"docker compose (?:ps|logs|restart|up --detach)(?: [a-z0-9 -]+)?", name)
    }
    assert {"docker compose ps", "docker compose logs setup"} <= commands
    assert {"docker compose restart beat", "docker compose up --detach worker"} <= commands
    operator.checkout.run("\n".join(sorted(commands)))
    operator.service.wait_ready()


def test_a_retrained_model_is_loaded_and_rolled_back_without_a_restart(
    operator: Operator,
) -> None:
    folder, service = operator.checkout.folder, operator.service
    (folder / "my_books.csv").write_text(books(0, 20), "utf-8")
    before, version = start_times(operator), operator.model_version()
    with timed("a short training, until its model labels"):
        operator.checkout.run_block(RETRAIN)
        operator.wait_version(version + 1)
    catalogue = large_catalogue(2_000, seed=3)
    job_id = service.submit(catalogue)
    check_labelled(catalogue, service.wait_result(job_id, seconds=JOB_SECONDS))
    assert service.job(job_id)["model_version"] == version + 1
    operator.checkout.run_block(EVALUATION)
    with tarfile.open(folder / "runs.tar") as runs:
        assert "evaluation.html" in {Path(name).name for name in runs.getnames()}
    (example,) = re.findall(r"genre/\d+", ROLL_BACK.text)
    operator.checkout.run_block(ROLL_BACK, {example: f"genre/{version + 1}"})
    operator.wait_version(version)
    assert start_times(operator) == before


def start_times(stack: Stack) -> dict[str, str]:
    return {
        container["Name"]: container["State"]["StartedAt"]
        for service in ("model", "worker", "api")
        for container in stack.project.containers(service)
    }


def test_compose_parses_the_command_for_monitoring(
    operator: Operator,
) -> None:
    output = operator.checkout.run_block(MONITORING, {"up --detach": "config"})
    assert "prom/prometheus:" in output
    assert "grafana/grafana:" in output
