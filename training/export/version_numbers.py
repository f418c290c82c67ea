"""Version numbers of a model folder. Each is used once, even if its version has been removed.

``.next_version`` in the model folder contains the lowest unused number. Model servers ignore it,
because its name is not a number.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import TrainingError

NEXT_VERSION = ".next_version"


def next_version(model_root: Path) -> int:
    """The lowest number that was never used in this folder.

    Raises:
        TrainingError: ``.next_version`` does not contain a number.
    """
    newest = max((int(p.name) for p in model_root.glob("*") if p.name.isdecimal()), default=0)
    path = model_root / NEXT_VERSION
    try:
        recorded = int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        recorded = 1
    except ValueError as error:
        raise TrainingError(
            f"{path} does not contain a number; write a number into it that is greater than those "
            "of all versions that were ever published there."
        ) from error
    return max(newest + 1, recorded)


def reserve(model_root: Path, requested: int | None = None) -> int:
    """Reserve a number before a version is published. It is never reserved again, published or not.

    Args:
        model_root: the folder of the model's versions; created if it does not exist.
        requested: this number; None: the next one.

    Raises:
        TrainingError: the requested number was used before.
        OSError: the folder cannot be written.
    """
    model_root.mkdir(parents=True, exist_ok=True)
    with _locked(model_root) as folder:
        lowest = next_version(model_root)
        version = lowest if requested is None else requested
        if version < lowest:
            raise TrainingError(
                f"Version {version} or a later one was used in {model_root} before; leave "
                f"--version out to publish as {lowest}."
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
    """The folder's descriptor, locked against other publications."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
