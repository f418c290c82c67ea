"""The source checkout: the server's code, which the installed package does not contain."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..errors import CheckoutRequired

ROOT = Path(__file__).parents[2]
"""The checkout; where the package is installed from a wheel, the folder that contains it."""


def in_checkout() -> bool:
    """Whether this code runs from a source checkout (also through an editable install)."""
    return (ROOT / "pyproject.toml").is_file() and (ROOT / "serving").is_dir()


def require_checkout(command: str) -> None:
    """Raise `CheckoutRequired` if the server's code is missing; `command` is what needs it."""
    if not in_checkout():
        raise CheckoutRequired(
            f"{command} runs the server and needs the source checkout: clone the repository and "
            "run `make demo` there. To use a server that is running: "
            "spinelabel label books.csv --server URL"
        )


def module_command(*words: str) -> tuple[list[str], dict[str, str]]:
    """The command line of `python -m WORDS` in the checkout, and additions to the environment.

    It does not depend on the working directory.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(paths)}
    return [sys.executable, "-P", "-m", *words], env
