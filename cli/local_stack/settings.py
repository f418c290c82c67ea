"""What a user can choose about a local stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import BadInput
from . import ports
from .checkout import ROOT


@dataclass(frozen=True, kw_only=True)
class LocalStackSettings:
    """Data folder, address and model of one stack."""

    data_dir: Path
    host: str = ports.LOOPBACK
    port: int = 0  # 0: any free one
    model_root: Path | None = None  # None: the models of the checkout


def find_model_root(model_root: Path | None) -> Path:
    """Return the absolute folder that contains NAME/VERSION/saved_model.pb.

    Raises `BadInput` if there is no model in it.
    """
    folder = ROOT / "serving" / "models" if model_root is None else model_root
    if not any(folder.glob("*/[0-9]*/saved_model.pb")):
        raise BadInput(
            f"There is no model in {folder} (expected NAME/VERSION/saved_model.pb). "
            "Train one with `make train`, or name another folder with --model-root."
        )
    return folder.resolve()
