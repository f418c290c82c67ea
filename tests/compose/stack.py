"""One running stack, and new projects to run one in."""

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
MEASUREMENTS: list[str] = []


@dataclass
class Stack:
    """A running stack."""

    project: Project
    service: Service

    def up(self, *arguments: str) -> None:
        """Start what is not running, and wait until jobs can be labelled."""
        try:
            self.project.compose("up", "--detach", "--no-build", *arguments)
        except EngineError as error:
            logs = self.project.compose("logs", "--no-color", "--tail", "30")
            raise EngineError(f"{error}\n{logs}") from error
        self.service.wait_ready()


def new_project(tag: str, **environment: str) -> Project:
    """A project with an unused name and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    name = f"spinelabel-{uuid.uuid4().hex[:8]}"
    return Project(name, port, {"SPINELABEL_TAG": tag, **environment})


def report(line: str) -> None:
    """Print a measurement at once (with pytest -s) and in the summary of the run."""
    MEASUREMENTS.append(line)
    print(f"\n[compose] {line}", flush=True)


@contextmanager
def timed(label: str) -> Iterator[None]:
    """Report how long the block took."""
    started = time.monotonic()
    yield
    report(f"{label}: {time.monotonic() - started:.1f} s")
