"""How another room is started as a child process: `python -m ROOM …`, found where this program was found."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path


def module_command(*words: str) -> tuple[list[str], dict[str, str]]:
    """Command line and what to add to the environment, whatever the working folder holds."""
    root, env = Path(__file__).parents[2], {"PYTHONUNBUFFERED": "1"}
    if str(root) not in site.getsitepackages():
        paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
        env["PYTHONPATH"] = os.pathsep.join(paths)
    return [sys.executable, "-P", "-m", *words], env
