"""One running stack, and projects of this test's own to run it in."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.compose.engine import EngineError, Project
from tests.compose.service import Service

JOB_SECONDS = 240.0
FIGURES: list[str] = []


@dataclass
class Stack:
    """A running stack."""

    project: Project
    service: Service

    def up(self, *words: str) -> None:
        """Start what is not running, wait until jobs can be worked on."""
        try:
            self.project.compose("up", "--detach", "--no-build", *words)
        except EngineError as error:
            said = self.project.compose("logs", "--no-color", "--tail", "30")
            raise EngineError(f"{error}\n{said}") from error
        self.service.wait_ready()


def new_project(tag: str, **environment: str) -> Project:
    """A project with a name and a port that nobody else has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    name = f"spinelabel-{uuid.uuid4().hex[:8]}"
    return Project(name, port, {"SPINELABEL_TAG": tag, **environment})


def report(line: str) -> None:
    """A figure for whoever reads the run's output: at once with pytest -s, and at its end."""
    FIGURES.append(line)
    print(f"\n[compose] {line}", flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Tell how long the block took."""
    started = time.monotonic()
    yield
    report(f"{what}: {time.monotonic() - started:.1f} s")
