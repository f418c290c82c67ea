"""Detects that files of a running stack were deleted or replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path


class Presence:
    """Compares the inodes of paths. Processes do not notice that their open files were deleted."""

    def __init__(self, paths: Sequence[Path], *, appearing: Callable[[], Path | None]) -> None:
        """
        Args:
            paths: exist now and must stay the same.
            appearing: returns a path that is created later, and must then stay.
        """
        self._identities = {path: _identity(path) for path in paths}
        self._appearing = appearing
        self._appeared: Path | None = None

    def lost(self) -> Path | None:
        """Return the first path that was deleted or replaced; None if there is none."""
        for path, identity in self._identities.items():
            if _identity(path) != identity:
                return path
        now = self._appearing()
        if now is None:
            return self._appeared
        self._appeared = now
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
