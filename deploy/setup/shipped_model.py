"""The model that comes with Spinelabel, published into the volume that the model server watches."""

from __future__ import annotations

import filecmp
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


def publish_shipped(shipped: Path, models: Path) -> Iterator[str]:
    """Copy NAME/VERSION folders that `models` does not have; say what was done with each.

    A version appears by rename, complete. A number that is there is never replaced: it may be a model
    that was trained here, and jobs may be using it.
    """
    for source in sorted(path.parent for path in shipped.glob("*/*/saved_model.pb")):
        name, version = source.parts[-2:]
        target = models / name / version
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged = target.with_name(f"{version}.{uuid.uuid4().hex}.partial")
            shutil.copytree(source, staged)
            staged.rename(target)
            yield f"Model {name}: version {version} published."
        elif filecmp.cmp(source / "saved_model.pb", target / "saved_model.pb", shallow=False):
            yield f"Model {name}: version {version} is there."
        else:
            yield (
                f"Model {name}: the shipped version {version} was not published, since another model has "
                "that number. The one that is there is kept."
            )
