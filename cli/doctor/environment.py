"""Whether this machine has what the laptop stack needs beside its installation."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from cli.client import ApiClient
from cli.commands.formatting import size
from cli.doctor.check_result import CheckResult, fail, ok, warn
from cli.errors import BadInput
from cli.local_stack import append_only_file, ports
from cli.local_stack.data_folder import DataFolder

DEFAULT_PORT = 8000  # where `up` listens
_LITTLE_BYTES, _ROOM_BYTES = 200_000_000, 2_000_000_000
_DOCKER_SECONDS = 10.0


def data_folder(path: Path) -> CheckResult:
    """Whether jobs can be kept. Makes nothing: a look leaves no traces."""
    place = _nearest(path)
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fail(
            "data folder",
            f"{path} cannot be written to",
            "Name another one with --data-dir or SPINELABEL_DATA_DIR.",
        )
    if place == path and DataFolder(path).open_to_others:
        return warn(
            "data folder",
            f"other users of this machine can look into {path}",
            "The next start of the stack closes it to them, or says why it does not.",
        )
    return ok("data folder", f"{path} {'can be written to' if place == path else 'can be made'}")


def record(data_dir: Path) -> CheckResult:
    """Whether Redis will be able to load the jobs. Reads all of its file, and changes nothing."""
    folder = DataFolder(data_dir.resolve())
    damage = append_only_file.damage(folder.redis)
    if damage is not None:
        return fail("record", damage.said, damage.cure)
    kept = append_only_file.find(folder.redis)
    return ok("record", f"no damage in {kept}" if kept else "none yet")


def disk(path: Path) -> CheckResult:
    """Whether there is room for catalogues, which are kept with their results."""
    free = shutil.disk_usage(_nearest(path)).free
    said = f"{size(free)} free for {path}"
    cure = "Delete old jobs (DELETE /v1/jobs/JOB) or files, or choose another --data-dir."
    if free < _LITTLE_BYTES:
        return fail("disk", said, cure)
    return warn("disk", said, cure) if free < _ROOM_BYTES else ok("disk", said)


def stack(server: str | None, data_dir: Path, api_key: str | None) -> CheckResult:
    """Whether the server that is named, or the stack that runs, takes work."""
    if server is None:
        state = DataFolder(data_dir).running()
        if state is None:
            return ok("stack", f"none runs on {data_dir}; `spinelabel up` starts one")
        server = state.url
    with ApiClient(server, api_key=api_key, patience_s=0) as client:
        missing = client.missing()
    if missing is None:
        return ok("stack", f"{server} takes work")
    return fail(
        "stack",
        f"{server} does not take work: {missing}",
        f"A stack that has just been started needs some seconds; otherwise {data_dir / 'logs'} says more.",
    )


def port(data_dir: Path, number: int = DEFAULT_PORT) -> CheckResult:
    """Whether `up` can listen where it does unless told otherwise."""
    what = f"port {number}"
    try:
        ports.usable_port(ports.LOOPBACK, number)
    except BadInput as error:
        state = DataFolder(data_dir).running()
        if state is not None and state.url == ports.url_of(ports.LOOPBACK, number):
            return ok(what, "taken by the stack that runs")
        return warn(what, "`spinelabel up` cannot listen there", str(error))
    return ok(what, "free")


def docker() -> CheckResult:
    """Whether the containers could be used; nothing on a laptop needs them."""
    if shutil.which("docker") is None:
        return warn("Docker", "not installed", "Only `docker compose up` needs it.")
    try:
        done = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DOCKER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode or not done.stdout.strip():
        return warn(
            "Docker",
            "installed, but its daemon does not answer",
            "Start it, or let your user use it; only `docker compose up` needs it.",
        )
    return ok("Docker", f"daemon {done.stdout.strip()} answers")


def _nearest(path: Path) -> Path:
    """The path, or the closest folder above it that exists."""
    place = path.resolve()
    while not place.exists() and place != place.parent:
        place = place.parent
    return path if place == path.resolve() else place
