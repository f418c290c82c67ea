"""Which versions should serve: read from the folder and decided here, without loading anything."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

# What a version's files look like from outside: path, size, and time of change of each.
Contents = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """The next thing to do. At most one version is loaded per step; unloading waits for nothing."""

    load: int | None
    unload: tuple[int, ...]


def next_step(*, present: Set[int], broken: Set[int], serving: Set[int], keep: int) -> Step:
    """Decides the next step towards serving the newest `keep` versions that can be loaded.

    A broken version takes no other's place: TensorFlow Serving would give up the oldest version for it, and
    with that the jobs that use it. A version that is served gives way only to one that serves already; one
    whose folder is gone goes at once.

    Args:
        present: versions in the folder.
        broken: versions that failed to load as they are now.
        serving: versions that serve now.
        keep: how many are to serve.
    """
    wanted = sorted(present - broken, reverse=True)[:keep]
    missing = [version for version in wanted if version not in serving]
    gone = serving - present
    surplus = set() if missing else serving - set(wanted)
    return Step(load=missing[0] if missing else None, unload=tuple(sorted(gone | surplus)))


def find_versions(folder: Path) -> Mapping[int, Path]:
    """The version folders below a model's folder: those whose name is a number.

    Raises:
        OSError: the folder cannot be read.
    """
    return {
        int(entry.name): entry
        for entry in folder.iterdir()
        if entry.name.isascii() and entry.name.isdigit() and entry.is_dir()
    }


def look_at(version_folder: Path) -> Contents:
    """What the files of a version look like now; it differs once someone has mended them."""
    seen = set()
    for path in version_folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:  # removed between listing and looking
            continue
        seen.add((str(path.relative_to(version_folder)), status.st_size, status.st_mtime_ns))
    return frozenset(seen)
