"""The stack as `docker compose up` gives it: small, closed, ready by itself, and not to be talked into a
start with a bad secret. What it survives is in test_disturbances.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compose.engine import EngineError, image, run
from tests.compose.stack import Stack, new_project, report
from tests.waiting import eventually

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

SERVICES = ("api", "beat", "model", "redis", "setup", "worker")
LARGEST_MB = 350


def megabytes(tag: str) -> float:
    return float(image(tag)["Size"]) / 1e6


def test_images_of_api_worker_beat_and_setup_are_small(images: str) -> None:
    sizes = {name: megabytes(f"spinelabel/{name}:{images}") for name in ("app", "setup")}
    for name, size in sizes.items():
        report(f"image spinelabel/{name}: {size:.0f} MB (bound {LARGEST_MB})")
    report(
        f"image spinelabel/trainer: {megabytes(f'spinelabel/trainer:{images}'):.0f} MB (no bound)"
    )
    assert max(sizes.values()) <= LARGEST_MB


def test_the_app_image_has_no_tensorflow(images: str) -> None:
    ask = "from importlib.util import find_spec; print([find_spec(n) for n in ('tensorflow', 'keras')])"
    said = run("docker", "run", "--rm", f"spinelabel/app:{images}", "python", "-c", ask)
    assert said.strip() == "[None, None]"


def test_everything_is_healthy_by_itself(stack: Stack) -> None:
    stack.project.wait_healthy("api", "beat", "model", "redis", "worker", seconds=240)
    (setup,) = stack.project.containers("setup")
    assert setup["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_containers_have_neither_root_nor_capabilities_nor_a_writable_root(
    stack: Stack, service: str
) -> None:
    for container in stack.project.containers(service):
        host = container["HostConfig"]
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root")
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] > 0


def test_only_the_api_is_published_and_only_to_this_machine(stack: Stack) -> None:
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: bindings
        for container in stack.project.containers()
        if (bindings := container["HostConfig"]["PortBindings"])
    }
    assert list(published) == ["api"]
    assert [b["HostIp"] for b in published["api"]["8000/tcp"]] == ["127.0.0.1"]


def test_no_environment_holds_the_password(stack: Stack) -> None:
    password = stack.project.compose(
        "exec", "-T", "worker", "cat", "/secrets/redis_password"
    ).strip()
    assert len(password) >= 32
    assert password not in str(stack.project.containers())


def test_redis_refuses_whoever_has_no_password(stack: Stack) -> None:
    said = stack.project.compose("exec", "-T", "redis", "redis-cli", "ping")
    assert "NOAUTH" in said


def test_keys_are_made_in_the_container_and_asked_for_once_others_can_connect(stack: Stack) -> None:
    made = json.loads(
        stack.project.compose(
            "exec", "-T", "api", "python", "-m", "api.keys", "create", "--owner", "anna", "--json"
        )
    )
    assert made["key"].startswith(made["id"])
    ask = [
        "python",
        "-c",
        "from api.settings import ApiSettings; print(ApiSettings().keys_required)",
    ]
    assert stack.project.compose("exec", "-T", "api", *ask).strip() == "False"
    others = ["-e", "SPINELABEL_API_PUBLIC_ADDRESS=0.0.0.0:8000"]
    assert stack.project.compose("exec", "-T", *others, "api", *ask).strip() == "True"


@pytest.mark.parametrize("content", ["short\n", "two words of some length\n", None])
def test_a_wrong_or_missing_secret_stops_the_start_with_a_sentence(
    images: str, tmp_path: Path, content: str | None
) -> None:
    tmp_path.chmod(0o755)
    if content is not None:
        (tmp_path / "redis_password").write_text(content)
    project = new_project(images, SPINELABEL_SECRETS=str(tmp_path))
    try:
        with pytest.raises(EngineError):
            project.compose("up", "--detach", "--no-build")
        said = project.compose("logs", "--no-color", "setup")
        running = [c["Name"] for c in project.containers() if c["State"]["Running"]]
    finally:
        project.remove()
    assert "The stack does not start:" in said
    assert ("no redis_password" if content is None else "at least 16 characters") in said
    assert running == []


def test_an_operators_own_password_is_used(images: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    password = 'of-my-own:"\\$#-choosing'
    (tmp_path / "redis_password").write_text(f"{password}\n")
    project = new_project(images, SPINELABEL_SECRETS=str(tmp_path))
    try:
        project.compose("up", "--detach", "--no-build", "redis")
        project.wait_healthy("redis", seconds=240)
        kept = project.compose("exec", "-T", "redis", "cat", "/secrets/redis_password")
    finally:
        project.remove()
    assert kept.strip() == password


@pytest.mark.parametrize(
    ("service", "check", "said"),
    [
        ("worker", [], "neither waited for messages nor worked"),
        ("beat", ["beat"], "nothing has been"),
    ],
)
def test_a_process_that_lives_but_does_nothing_turns_red(
    stack: Stack, service: str, check: list[str], said: str
) -> None:
    words = ("exec", "-T", service, "python", "-m", "deploy.health.worker", *check)
    stack.service.wait_ready()
    assert "in order" in stack.project.compose(*words)

    def found() -> str:
        try:
            return stack.project.compose(*words)
        except EngineError as error:
            return str(error)

    with stack.project.frozen(service):
        eventually(lambda: said in found(), within_s=240, every_s=2, what=found)
    stack.project.wait_healthy(service, seconds=240)
