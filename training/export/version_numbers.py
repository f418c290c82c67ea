"""The numbers of a model folder's versions: each is used once, also when its folder has been removed since.

``.next_version`` in the model folder holds the first number that has never been used. Model servers pass it over, since
its name is not a number.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import TrainingError

NEXT_VERSION = ".next_version"


def next_version(model_root: Path) -> int:
    """The lowest number that has never been used in this folder.

    Raises:
        TrainingError: ``.next_version`` holds something else than a number.
    """
    newest = max((int(p.name) for p in model_root.glob("*") if p.name.isdecimal()), default=0)
    path = model_root / NEXT_VERSION
    try:
        recorded = int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        recorded = 1
    except ValueError as error:
        raise TrainingError(
            f"{path} does not hold a number; write the number into it that the next version is to have, above all "
            "that were ever published there."
        ) from error
    return max(newest + 1, recorded)


def reserve(model_root: Path, wanted: int | None = None) -> int:
    """Take a number for good, before anything is published under it; one that is not published stays unused.

    Args:
        wanted: this number; None for the next one.

    Raises:
        TrainingError: the wanted number was used before.
        OSError: the folder cannot be written.
    """
    model_root.mkdir(parents=True, exist_ok=True)
    with _locked(model_root) as folder:
        lowest = next_version(model_root)
        version = lowest if wanted is None else wanted
        if version < lowest:
            raise TrainingError(
                f"Version {version} was used in {model_root} before, or a later one was; leave --version out to "
                f"publish as {lowest}."
            )
        written = model_root / f"{NEXT_VERSION}.partial"
        with written.open("w", encoding="ascii") as file:
            file.write(f"{version + 1}\n")
            file.flush()
            os.fsync(file.fileno())
        written.replace(model_root / NEXT_VERSION)
        os.fsync(folder)
    return version


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The folder's descriptor, while no other publication takes a number in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
