"""Damage to the append-only file of a Redis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def newest(folder: Path) -> Path:
    """The file that Redis appends to, in old and new layouts."""
    files = [*folder.glob("appendonly.aof"), *folder.glob("appendonlydir/*.incr.aof")]
    assert files
    return files[-1]


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    path.write_bytes(edit(path.read_bytes()))


def overwrite_the_middle(content: bytes) -> bytes:
    """Shift all that follows, since Redis accepts changed bytes inside of one long value."""
    half = len(content) // 2
    return content[:half] + b"GARBAGE\0\0\0" * 30 + content[half + 307 :]
