"""Decides which versions to load and unload, from the model folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

# Path, size and modification time of each file of a version.
Fingerprint = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """The next step: at most one version to load, any number to unload."""

    load: int | None
    unload: tuple[int, ...]


def next_step(*, present: Set[int], broken: Set[int], serving: Set[int], keep: int) -> Step:
    """Decide the next step towards serving the newest `keep` versions that can be loaded.

    A broken version does not replace another one, unlike in TensorFlow Serving, where jobs that use
    the oldest version would lose it. A served version is unloaded after its replacement has been
    loaded; a version whose folder is gone is unloaded at once.

    Args:
        present: versions in the model folder.
        broken: versions that failed to load and have not changed since.
        serving: versions that are served.
        keep: number of versions to serve.
    """
    desired = sorted(present - broken, reverse=True)[:keep]
    missing = [version for version in desired if version not in serving]
    gone = serving - present
    surplus = set() if missing else serving - set(desired)
    return Step(load=missing[0] if missing else None, unload=tuple(sorted(gone | surplus)))


def find_versions(folder: Path) -> Mapping[int, Path]:
    """Return the version folders of a model: those whose name is a number.

    Raises:
        OSError: the folder cannot be read.
    """
    # Through an open descriptor: by path, a folder that is moved between its listing and the check
    # of an entry would look as if all of its versions had been deleted.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with os.scandir(descriptor) as entries:
            return {
                int(entry.name): folder / entry.name
                for entry in entries
                if entry.name.isascii() and entry.name.isdigit() and entry.is_dir()
            }
    finally:
        os.close(descriptor)


def fingerprint_files(version_folder: Path) -> Fingerprint:
    """Return the state of the version's files; it changes when they are replaced."""
    files = set()
    for path in version_folder.rglob("*"):
        try:
            status = path.stat()
        except FileNotFoundError:  # removed since it was listed
            continue
        files.add((str(path.relative_to(version_folder)), status.st_size, status.st_mtime_ns))
    return frozenset(files)
