"""Disk faults: damaged chunk outputs, and a small disk that can be filled."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_SIZE = "64m"


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[str | None]:
    """Mount a tmpfs on `folder` for the block. Yields None, or why it is not possible."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("mount") is None:
        yield "disk full (there is no mount command)"
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0700", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        yield f"disk full (needs root for a tmpfs: {mounted.stderr.strip()})"
        return
    try:
        yield None
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def damage(path: Path, how: str, random_: random.Random) -> None:
    """Damage a file, as a broken disk would: `removed`, `truncated`, or one bit `altered`."""
    content = path.read_bytes()
    if how == "removed":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, random_.randrange(len(content)) if content else 0)
    else:
        position = random_.randrange(len(content))
        with path.open("r+b") as stream:
            stream.seek(position)
            stream.write(bytes([content[position] ^ 1]))
