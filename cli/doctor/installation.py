"""Checks of the installation. Each runs the same code as the local stack."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..local_stack.checkout import module_command
from ..local_stack.data.redis_binary import RedisUnavailable, find_redis_binary
from ..local_stack.settings import find_model_root
from .check_result import CheckResult, fail, ok

_OLDEST_PYTHON, _NEWEST_PYTHON = (3, 11), (3, 13)  # those that TensorFlow has wheels for
# One or two packages of each part of the server. Without TensorFlow, which the check of the model
# imports.
_PACKAGES = (
    "arro3.core", "celery", "flask", "flask_openapi3", "fsspec", "grpc", "gunicorn", "numpy", "openpyxl",
    "pydantic_settings", "redis", "rich",
)  # fmt: skip
_IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name} ({error})")
"""
_PRINT_FINGERPRINT = """
from catalogue.text.cleaning import CLEANING_FINGERPRINT
print(CLEANING_FINGERPRINT)
"""
_TIMEOUT_S = 120.0
_INSTALL = (
    "Run `make demo`, which installs what is missing; `make clean` first if that does not help."
)


def python() -> CheckResult:
    """The interpreter's version."""
    version = f"{platform.python_version()} ({sys.executable})"
    if _OLDEST_PYTHON <= sys.version_info[:2] <= _NEWEST_PYTHON:
        return ok("Python", version)
    return fail(
        "Python", version, "Install Python 3.11, 3.12 or 3.13, and make PYTHON=python3.12 demo."
    )


def packages() -> CheckResult:
    """Whether the packages can be imported.

    A separate process imports them, because it may crash.
    """
    result = _run_python(_IMPORT_ALL, *_PACKAGES)
    if isinstance(result, str):
        return fail("packages", result, _INSTALL)
    if missing := result.stdout.split("\n")[:-1]:
        return fail("packages", f"cannot be imported: {', '.join(missing)}", _INSTALL)
    if result.returncode:
        return fail("packages", f"importing them crashes Python ({result.returncode})", _INSTALL)
    return ok("packages", f"{len(_PACKAGES)} can be imported")


def redis() -> CheckResult:
    """Whether Redis is installed and can be run."""
    try:
        binary = find_redis_binary()
    except RedisUnavailable as error:
        return fail("Redis", "not installed", str(error))
    result = _run([binary, "--version"])
    if isinstance(result, str) or result.returncode:
        why = result if isinstance(result, str) else (result.stderr.strip() or "it ends at once")
        return fail("Redis", f"{binary} does not run: {why}", "Install Redis or Valkey.")
    return ok("Redis", f"{binary}: {' '.join(result.stdout.split()[:3])}")


def model(model_root: Path | None) -> CheckResult:
    """Whether the newest model loads and has the cleaning fingerprint of this release."""
    remedy = (
        "Check out serving/models again, train one with `make train`, or name another --model-root."
    )
    try:
        root = find_model_root(model_root)
    except BadInput as error:
        return fail("model", "not found", str(error))
    argv, env = module_command("serving.inspect_model")
    result = _run(argv, SPINELABEL_MODEL_ROOT=str(root), TF_CPP_MIN_LOG_LEVEL="3", **env)
    if isinstance(result, str):
        return fail("model", f"{root}: {result}", remedy)
    if result.returncode:
        why = (result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1]
        return fail("model", f"{root} cannot be loaded: {why}", remedy)
    return _check_description(root, json.loads(result.stdout))


def _check_description(root: Path, inspection: dict[str, Any]) -> CheckResult:
    fingerprint = _run_python(_PRINT_FINGERPRINT)
    if isinstance(fingerprint, str) or fingerprint.returncode:
        return fail("model", "it loads, but the cleaning of its texts cannot be imported", _INSTALL)
    version = f"{root}: version {inspection['version']}"
    description = inspection["description"]
    if description.get("cleaning_fingerprint") != fingerprint.stdout.strip():
        return fail(
            "model",
            f"{version} was trained on texts that were cleaned by other rules",
            "Train it with this release: `make train`.",
        )
    return ok("model", f"{version} loads, {len(description['labels'])} genres")


def _run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str] | str:
    _, env = module_command()
    return _run([sys.executable, "-P", "-c", code, *arguments], **env)


def _run(argv: list[str], **env: str) -> subprocess.CompletedProcess[str] | str:
    """Return the completed process, or a phrase that says why it did not complete."""
    try:
        return subprocess.run(
            argv,
            env=os.environ | env,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"it did not exit within {_TIMEOUT_S:g} seconds"
    except OSError as error:
        return f"it cannot be run ({error.strerror})"
