"""The stack as Compose starts it: small images, restricted containers, no bad secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compose.engine import EngineError, image, run
from tests.compose.stack import Stack, new_project, report
from tests.waiting import eventually

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

SERVICES = ("api", "beat", "model", "redis", "setup", "worker")
MAX_MB = 350


def megabytes(tag: str) -> float:
    return float(image(tag)["Size"]) / 1e6


def test_images_of_api_worker_beat_and_setup_are_small(images: str) -> None:
    sizes = {name: megabytes(f"spinelabel/{name}:{images}") for name in ("app", "setup")}
    for name, size in sizes.items():
        report(f"image spinelabel/{name}: {size:.0f} MB (bound {MAX_MB})")
    report(
        f"image spinelabel/trainer: {megabytes(f'spinelabel/trainer:{images}'):.0f} MB (no bound)"
    )
    assert max(sizes.values()) <= MAX_MB


def test_the_app_image_has_no_tensorflow(images: str) -> None:
    program = "from importlib.util import find_spec; print([find_spec(n) for n in ('tensorflow', 'keras')])"
    output = run("docker", "run", "--rm", f"spinelabel/app:{images}", "python", "-c", program)
    assert output.strip() == "[None, None]"


def test_every_service_becomes_healthy(stack: Stack) -> None:
    stack.project.wait_healthy("api", "beat", "model", "redis", "worker", seconds=240)
    (setup,) = stack.project.containers("setup")
    assert setup["State"]["ExitCode"] == 0


@pytest.mark.parametrize("service", SERVICES)
def test_containers_have_no_root_no_capabilities_and_a_read_only_file_system(
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


def test_only_the_api_is_published_and_only_on_loopback(stack: Stack) -> None:
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: bindings
        for container in stack.project.containers()
        if (bindings := container["HostConfig"]["PortBindings"])
    }
    assert list(published) == ["api"]
    assert [b["HostIp"] for b in published["api"]["8000/tcp"]] == ["127.0.0.1"]


def test_no_container_configuration_has_the_password(stack: Stack) -> None:
    password = stack.project.compose(
        "exec", "-T", "worker", "cat", "/secrets/redis_password"
    ).strip()
    assert len(password) >= 32
    assert password not in str(stack.project.containers())


def test_redis_refuses_clients_without_the_password(stack: Stack) -> None:
    output = stack.project.compose("exec", "-T", "redis", "redis-cli", "ping")
    assert "NOAUTH" in output


def test_keys_are_created_in_the_container_and_required_on_a_public_address(stack: Stack) -> None:
    created = json.loads(
        stack.project.compose(
            "exec", "-T", "api", "python", "-m", "api.keys", "create", "--owner", "anna", "--json"
        )
    )
    assert created["key"].startswith(created["id"])
    command = [
        "python",
        "-c",
        "from api.settings import ApiSettings; print(ApiSettings().keys_required)",
    ]
    assert stack.project.compose("exec", "-T", "api", *command).strip() == "False"
    public = ["-e", "SPINELABEL_API_PUBLIC_ADDRESS=0.0.0.0:8000"]
    assert stack.project.compose("exec", "-T", *public, "api", *command).strip() == "True"


@pytest.mark.parametrize("content", ["short\n", "two words of some length\n", None])
def test_a_wrong_or_missing_secret_stops_the_start_with_a_message(
    images: str, tmp_path: Path, content: str | None
) -> None:
    tmp_path.chmod(0o755)
    if content is not None:
        (tmp_path / "redis_password").write_text(content)
    project = new_project(images, SPINELABEL_SECRETS=str(tmp_path))
    try:
        with pytest.raises(EngineError):
            project.compose("up", "--detach", "--no-build")
        output = project.compose("logs", "--no-color", "setup")
        running = [c["Name"] for c in project.containers() if c["State"]["Running"]]
    finally:
        project.remove()
    assert "The stack does not start:" in output
    assert ("no redis_password" if content is None else "at least 16 characters") in output
    assert running == []


def test_the_operators_password_is_used(images: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    password = 'of-my-own:"\\$#-choosing'
    (tmp_path / "redis_password").write_text(f"{password}\n")
    project = new_project(images, SPINELABEL_SECRETS=str(tmp_path))
    try:
        project.compose("up", "--detach", "--no-build", "redis")
        project.wait_healthy("redis", seconds=240)
        stored = project.compose("exec", "-T", "redis", "cat", "/secrets/redis_password")
    finally:
        project.remove()
    assert stored.strip() == password


@pytest.mark.parametrize(
    ("service", "check", "message"),
    [
        ("worker", [], "neither waited for messages nor worked"),
        ("beat", ["beat"], "nothing has been"),
    ],
)
def test_a_suspended_process_becomes_unhealthy(
    stack: Stack, service: str, check: list[str], message: str
) -> None:
    command = ("exec", "-T", service, "python", "-m", "deploy.health.worker", *check)
    stack.service.wait_ready()
    assert "in order" in stack.project.compose(*command)

    def health() -> str:
        try:
            return stack.project.compose(*command)
        except EngineError as error:
            return str(error)

    with stack.project.suspended(service):
        eventually(lambda: message in health(), within_s=240, every_s=2, what=health)
    stack.project.wait_healthy(service, seconds=240)
