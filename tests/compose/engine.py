"""The container engine and Compose, whichever of the two is installed, for one project of this test's own."""

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
    """A command of the engine failed; the message holds what it said."""


def run(*command: str | Path, timeout_s: float = 600, env: Mapping[str, str] | None = None) -> str:
    """The command's output. Raises `EngineError` with all it said when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | dict(env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        said = done.stdout[-6000:]
        raise EngineError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{said}")
    return done.stdout


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
    """Compose v2 if the engine has it, else docker-compose. Raises `EngineError` if there is neither."""
    try:
        run("docker", "compose", "version", timeout_s=30)
    except EngineError:
        if shutil.which("docker-compose") is None:
            raise EngineError("there is neither `docker compose` nor docker-compose") from None
        return ["docker-compose"]
    return ["docker", "compose"]


@dataclass
class Project:
    """One Compose project. Everything it makes carries its name, and `remove` takes all of it away."""

    name: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)

    def compose(self, *words: str, timeout_s: float = 600) -> str:
        """Run `docker compose WORDS` on the shipped file and, without `OFFICIAL`, the tests' override."""
        files = ["-f", "docker-compose.yml", *([] if OFFICIAL else ["-f", str(OVERRIDE)])]
        return run(
            *compose_command(),
            *("-p", self.name),
            *files,
            *words,
            timeout_s=timeout_s,
            env={
                # Debian's Engine has no BuildKit client; where there is one, it is used.
                "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0"),
                "SPINELABEL_PUBLISH": f"127.0.0.1:{self.port}",
                **self.environment,
            },
        )

    def remove(self) -> None:
        """Containers, networks and volumes of this project."""
        self.compose("--profile", "train", "down", "--volumes", "--remove-orphans")

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """What the engine knows of this project's containers, stopped ones included."""
        filters = [f"label=com.docker.compose.project={self.name}"]
        if service is not None:
            filters.append(f"label=com.docker.compose.service={service}")
        words = [word for text in filters for word in ("--filter", text)]
        ids = run("docker", "ps", "--all", "--quiet", *words).split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
        return found

    def kill(self, service: str) -> str:
        """SIGKILL the first process of the service's container, as the kernel would. Its id.

        Not `docker kill`, after which the engine leaves the container down.
        """
        container = next(c for c in self.containers(service) if c["State"]["Running"])
        os.kill(int(container["State"]["Pid"]), signal.SIGKILL)
        return str(container["Id"])

    @contextmanager
    def frozen(self, service: str) -> Iterator[None]:
        """The service's main process, alive and doing nothing for the length of the block."""
        (container,) = self.containers(service)
        init = int(container["State"]["Pid"])
        main = int(Path(f"/proc/{init}/task/{init}/children").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(main, signal.SIGCONT)

    def wait_healthy(self, *services: str, seconds: float) -> None:
        """Until every container of the services is healthy."""

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
    """What the engine knows of an image."""
    found: Sequence[dict[str, Any]] = json.loads(run("docker", "image", "inspect", tag))
    return found[0]
