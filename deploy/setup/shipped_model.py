"""The model that comes with Spinelabel, published into the volume that the model server watches."""

from __future__ import annotations

import filecmp
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

# As the trainer keeps it: the first number that was never used.
_NEXT_VERSION = ".next_version"


def publish_shipped(shipped: Path, models: Path) -> Iterator[str]:
    """Copy NAME/VERSION folders that `models` does not have; say what was done with each.

    A version appears by rename, complete. A number that is there is never replaced: it may be a
    model that was trained here, and jobs may be using it. A number that was used before is not used
    again, whether the shipped model or another one was taken back.
    """
    for source in sorted(path.parent for path in shipped.glob("*/*/saved_model.pb")):
        name, version = source.parts[-2:]
        target = models / name / version
        if not target.exists() and int(version) < _next_version(target.parent):
            yield (
                f"Model {name}: the shipped version {version} was not published, since that number "
                "was used and "
                "its model taken back."
            )
        elif not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f"{version}.{uuid.uuid4().hex}.partial")
            shutil.copytree(source, staged)
            staged.rename(target)
            # Only now: a number that counts as used would not be published when the rename has been
            # missed.
            _raise_next_version(target.parent, int(version) + 1)
            yield f"Model {name}: version {version} published."
        elif filecmp.cmp(source / "saved_model.pb", target / "saved_model.pb", shallow=False):
            _raise_next_version(target.parent, int(version) + 1)
            yield f"Model {name}: version {version} is there."
        else:
            yield (
                f"Model {name}: the shipped version {version} was not published, since another "
                "model has "
                "that number. The one that is there is kept."
            )


def _next_version(folder: Path) -> int:
    path = folder / _NEXT_VERSION
    return int(path.read_text("ascii")) if path.exists() else 1


def _raise_next_version(folder: Path, number: int) -> None:
    staged = folder / f"{_NEXT_VERSION}.{uuid.uuid4().hex}"
    staged.write_text(f"{max(number, _next_version(folder))}\n", "ascii")
    staged.replace(folder / _NEXT_VERSION)
