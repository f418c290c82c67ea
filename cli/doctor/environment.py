"""Checks of the machine: data folder, disk, port, running stack, Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ..client import Client
from ..commands.formatting import size
from ..errors import BadInput
from ..local_stack import ports
from ..local_stack.data import append_only_file
from ..local_stack.data.data_folder import DataFolder
from .check_result import CheckResult, fail, ok, warn

DEFAULT_PORT = 8000  # where `up` listens
_FAIL_BELOW_BYTES, _WARN_BELOW_BYTES = 200_000_000, 2_000_000_000
_DOCKER_TIMEOUT_S = 10.0


def checkout() -> CheckResult:
    """Warn that only the client is installed. Call it outside a source checkout."""
    return warn(
        "local stack",
        "only the client is installed",
        "Name a server with --server, or clone the repository to run one here.",
    )


def data_folder(path: Path) -> CheckResult:
    """Whether jobs can be stored. Creates nothing."""
    existing = _nearest_existing(path)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return fail(
            "data folder",
            f"{path} is not writable",
            "Choose another one with --data-dir or SPINELABEL_DATA_DIR.",
        )
    if existing == path and DataFolder(path).open_to_others:
        return warn(
            "data folder",
            f"other users of this machine can read {path}",
            "The next start of the stack makes it private, or reports why it cannot.",
        )
    return ok("data folder", f"{path} {'is writable' if existing == path else 'can be created'}")


def record(data_dir: Path) -> CheckResult:
    """Whether Redis will be able to load the jobs.

    Reads its whole append-only file; changes nothing.
    """
    folder = DataFolder(data_dir.resolve())
    damage = append_only_file.damage(folder.redis)
    if damage is not None:
        return fail("record", damage.detail, damage.remedy)
    file = append_only_file.find(folder.redis)
    return ok("record", f"no damage in {file}" if file else "none yet")


def disk(path: Path) -> CheckResult:
    """Whether there is enough space for catalogues and their results."""
    free = shutil.disk_usage(_nearest_existing(path)).free
    detail = f"{size(free)} free for {path}"
    remedy = "Delete old jobs (DELETE /v1/jobs/JOB) or files, or choose another --data-dir."
    if free < _FAIL_BELOW_BYTES:
        return fail("disk", detail, remedy)
    return warn("disk", detail, remedy) if free < _WARN_BELOW_BYTES else ok("disk", detail)


def stack(server: str | None, data_dir: Path, api_key: str | None) -> CheckResult:
    """Whether the named server, or the running stack, accepts jobs."""
    if server is None:
        state = DataFolder(data_dir).running()
        if state is None:
            return ok(
                "stack",
                f"none runs on {data_dir}; start one with `spinelabel up`, or name a server with "
                "--server",
            )
        server = state.url
    with Client(server, api_key=api_key, patience_s=0) as client:
        reason = client.not_ready_reason()
    if reason is None:
        return ok("stack", f"{server} accepts jobs")
    return fail(
        "stack",
        f"{server} does not accept jobs: {reason}",
        f"A new stack needs some seconds to start; otherwise see {data_dir / 'logs'}.",
    )


def port(data_dir: Path, number: int = DEFAULT_PORT) -> CheckResult:
    """Whether `up` can listen on its default port."""
    what = f"port {number}"
    try:
        ports.usable_port(ports.LOOPBACK, number)
    except BadInput as error:
        state = DataFolder(data_dir).running()
        if state is not None and state.url == ports.url_of(ports.LOOPBACK, number):
            return ok(what, "used by the running stack")
        return warn(what, "`spinelabel up` cannot listen there", str(error))
    return ok(what, "free")


def docker() -> CheckResult:
    """Whether Docker is usable. The local stack does not need it."""
    if shutil.which("docker") is None:
        return warn("Docker", "not installed", "Only `docker compose up` needs it.")
    try:
        result = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DOCKER_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        result = None
    if result is None or result.returncode or not result.stdout.strip():
        return warn(
            "Docker",
            "installed, but its daemon does not answer",
            "Start it, or let your user use it; only `docker compose up` needs it.",
        )
    return ok("Docker", f"daemon {result.stdout.strip()} answers")


def _nearest_existing(path: Path) -> Path:
    """Return the path, or its closest existing parent."""
    existing = path.resolve()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return path if existing == path.resolve() else existing
