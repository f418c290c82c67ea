"""The container engine and Compose, v2 or docker-compose, for one project of the tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
OVERRIDE = ROOT / "deploy" / "compose_test" / "docker-compose.override.yml"
BASE_IMAGES = ROOT / "deploy" / "compose_test" / "base_images.sh"
# With it set, the tests run the stack as it is shipped, with the official model server.
OFFICIAL = os.environ.get("SPINELABEL_COMPOSE_OFFICIAL") == "1"


class EngineError(AssertionError):
    """A command of the engine failed; the message has its output."""


def run(*command: str | Path, timeout_s: float = 600, env: Mapping[str, str] | None = None) -> str:
    """Return the command's output. Raises `EngineError` with the output if it fails."""
    result = subprocess.run(
        [str(argument) for argument in command],
        cwd=ROOT,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if result.returncode:
        output = result.stdout[-6000:]
        raise EngineError(
            f"{' '.join(map(str, command))}: exit status {result.returncode}\n{output}"
        )
    return result.stdout


def missing_for_compose() -> str | None:
    """Why no stack can be run here, or None."""
    if os.geteuid() != 0:
        return "root is needed: the tests kill the processes of their own containers"
    if shutil.which("docker") is None:
        return "there is no docker"
    try:
        run("docker", "info", timeout_s=30)
        compose_command()
    except (EngineError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None


def compose_command() -> list[str]:
    """Compose v2 if installed, else docker-compose. Raises `EngineError` if there is neither."""
    try:
        run("docker", "compose", "version", timeout_s=30)
    except EngineError:
        if shutil.which("docker-compose") is None:
            raise EngineError("there is neither `docker compose` nor docker-compose") from None
        return ["docker-compose"]
    return ["docker", "compose"]


@dataclass
class Project:
    """One Compose project. All its resources have its name, and `remove` deletes them."""

    name: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str, timeout_s: float = 600) -> str:
        """Run `docker compose ARGUMENTS` with the shipped file and, by default, the override."""
        files = ["-f", "docker-compose.yml", *([] if OFFICIAL else ["-f", str(OVERRIDE)])]
        return run(
            *compose_command(),
            *("-p", self.name),
            *files,
            *arguments,
            timeout_s=timeout_s,
            env={
                # Debian's Engine has no BuildKit client; elsewhere the environment may enable it.
                "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0"),
                "SPINELABEL_PUBLISH": f"127.0.0.1:{self.port}",
                **self.environment,
            },
        )

    def remove(self) -> None:
        """Remove the containers, networks and volumes of this project."""
        self.compose("--profile", "train", "down", "--volumes", "--remove-orphans")

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """The engine's data about this project's containers, including stopped ones."""
        filters = [f"label=com.docker.compose.project={self.name}"]
        if service is not None:
            filters.append(f"label=com.docker.compose.service={service}")
        options = [part for text in filters for part in ("--filter", text)]
        ids = run("docker", "ps", "--all", "--quiet", *options).split()
        containers: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
        return containers

    def kill(self, service: str) -> str:
        """Send SIGKILL to the first process of the service's container; return the container's id.

        After `docker kill`, the engine would not restart the container.
        """
        container = next(c for c in self.containers(service) if c["State"]["Running"])
        os.kill(int(container["State"]["Pid"]), signal.SIGKILL)
        return str(container["Id"])

    @contextmanager
    def suspended(self, service: str) -> Iterator[None]:
        """Suspend the service's main process while the block runs."""
        (container,) = self.containers(service)
        init = int(container["State"]["Pid"])
        main = int(Path(f"/proc/{init}/task/{init}/children").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(main, signal.SIGCONT)

    def wait_healthy(self, *services: str, seconds: float) -> None:
        """Wait until every container of the services is healthy."""

        def states() -> dict[str, str]:
            return {
                container["Name"]: container["State"].get("Health", {}).get("Status", "none")
                for service in services
                for container in self.containers(service)
            }

        eventually(
            lambda: set(states().values()) == {"healthy"},
            within_s=seconds,
            every_s=0.5,
            what=lambda: f"not healthy: {states()}\n{self.compose('logs', '--tail', '40')}",
        )


def image(tag: str) -> dict[str, Any]:
    """The engine's data about an image."""
    images: Sequence[dict[str, Any]] = json.loads(run("docker", "image", "inspect", tag))
    return images[0]
