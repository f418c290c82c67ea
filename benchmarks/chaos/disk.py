"""What a broken disk does to parts, and a small disk that can be filled without harm."""

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
    """Mount a tmpfs on `folder` for the length of the block; a reason instead where that is not allowed."""
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


def spoil(part: Path, how: str, random_: random.Random) -> None:
    """Truncate, remove or alter one byte of a finished part, as a broken disk would."""
    content = part.read_bytes()
    if how == "removed":
        part.unlink()
    elif how == "truncated":
        os.truncate(part, random_.randrange(len(content)) if content else 0)
    else:
        place = random_.randrange(len(content))
        with part.open("r+b") as stream:
            stream.seek(place)
            stream.write(bytes([content[place] ^ 1]))
