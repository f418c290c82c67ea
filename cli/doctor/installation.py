"""Whether what has been installed is complete and works: each look really does what the stack will do."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from cli.doctor.check_result import CheckResult, fail, ok
from cli.errors import BadInput
from cli.local_stack.module_command import module_command
from cli.local_stack.redis_server import RedisUnavailable, find_redis_binary
from cli.local_stack.stack import model_root

_PYTHONS = ((3, 11), (3, 13))  # oldest and newest that TensorFlow has wheels for
# One or two of each room's; TensorFlow, which takes seconds, is seen with the model.
_PACKAGES = (
    "arro3.core", "celery", "flask", "flask_openapi3", "fsspec", "grpc", "gunicorn", "numpy", "openpyxl",
    "pydantic_settings", "redis", "rich",
)  # fmt: skip
_IMPORTING = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name} ({error})")
"""
_SECONDS = 120.0
_INSTALL = (
    "Run `make demo`, which installs what is missing; `make clean` first if that does not help."
)


def python() -> CheckResult:
    """The interpreter's version."""
    said = f"{platform.python_version()} ({sys.executable})"
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        return ok("Python", said)
    return fail(
        "Python", said, "Install Python 3.11, 3.12 or 3.13, and make PYTHON=python3.12 demo."
    )


def packages() -> CheckResult:
    """Whether the packages can be imported, by a process of its own: one that crashes must not end this one."""
    _, env = module_command()
    done = _run([sys.executable, "-P", "-c", _IMPORTING, *_PACKAGES], **env)
    if isinstance(done, str):
        return fail("packages", done, _INSTALL)
    if missing := done.stdout.split("\n")[:-1]:
        return fail("packages", f"cannot be imported: {', '.join(missing)}", _INSTALL)
    if done.returncode:
        return fail("packages", f"importing them ends Python ({done.returncode})", _INSTALL)
    return ok("packages", f"{len(_PACKAGES)} can be imported")


def redis() -> CheckResult:
    """Whether there is a Redis, and whether it runs on this machine."""
    try:
        binary = find_redis_binary()
    except RedisUnavailable as error:
        return fail("Redis", "there is none", str(error))
    done = _run([binary, "--version"])
    if isinstance(done, str) or done.returncode:
        why = done if isinstance(done, str) else (done.stderr.strip() or "it ends at once")
        return fail("Redis", f"{binary} does not run: {why}", "Install Redis or Valkey.")
    return ok("Redis", f"{binary}: {' '.join(done.stdout.split()[:3])}")


def model(chosen: Path | None) -> CheckResult:
    """Whether the newest model loads, says what it is, and was trained on texts cleaned as here."""
    cure = (
        "Check out serving/models again, train one with `make train`, or name another --model-root."
    )
    try:
        root = model_root(chosen)
    except BadInput as error:
        return fail("model", "there is none", str(error))
    argv, env = module_command("serving.inspect_model")
    done = _run(argv, SPINELABEL_MODEL_ROOT=str(root), TF_CPP_MIN_LOG_LEVEL="3", **env)
    if isinstance(done, str):
        return fail("model", f"{root}: {done}", cure)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return fail("model", f"{root} cannot be loaded: {why}", cure)
    return _judged(root, json.loads(done.stdout))


def _judged(root: Path, found: dict[str, Any]) -> CheckResult:
    try:
        from catalogue.text.cleaning import CLEANING_FINGERPRINT
    except ImportError as error:
        return fail("model", f"it loads, but not what cleans its texts: {error}", _INSTALL)
    said = f"{root}: version {found['version']}"
    description = found["description"]
    if description.get("cleaning_fingerprint") != CLEANING_FINGERPRINT:
        return fail(
            "model",
            f"{said} was trained on texts that were cleaned by other rules",
            "Train it with this release: `make train`.",
        )
    return ok("model", f"{said} loads, {len(description['labels'])} genres")


def _run(argv: list[str], **env: str) -> subprocess.CompletedProcess[str] | str:
    """What a program did; as a sentence, why it did nothing."""
    try:
        return subprocess.run(
            argv,
            env=os.environ | env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"it does not end within {_SECONDS:g} seconds"
    except OSError as error:
        return f"it cannot be run ({error.strerror})"
