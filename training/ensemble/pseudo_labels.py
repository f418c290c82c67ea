"""Extra texts for the sequence model, with the experts' opinion as their soft labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.config import TeachingConfig

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Rows of the extra texts and what is said of them."""

    rows: npt.NDArray[np.int64]  # [M] positions among the extra texts
    targets: npt.NDArray[np.float32]  # [M, K], rows sum to 1

    def save(self, path: Path) -> None:
        """One npz file."""
        np.savez(path, rows=self.rows, targets=self.targets)

    @staticmethod
    def load(path: Path) -> "PseudoLabels":
        """What ``save`` wrote."""
        with np.load(path) as found:
            return PseudoLabels(rows=found["rows"], targets=found["targets"])


def teach(opinion: Floats, share: Floats, config: TeachingConfig) -> PseudoLabels:
    """Choose texts by the experts' log odds [N, K], as many for every label as there are.

    ``share`` [K]: how common each label is in the data. Tags are not looked at: the experts' own
    opinion is more often right than a reader's tag.
    """
    tilted = opinion - config.tilt * np.log(share)
    powers = np.exp(tilted - tilted.max(axis=1, keepdims=True))
    chances = powers / powers.sum(axis=1, keepdims=True)
    best = chances.argmax(axis=1)
    chosen = [np.zeros(0, dtype=np.int64)]
    for label in range(chances.shape[1]):
        rows = np.flatnonzero(best == label)
        surest = np.argsort(-chances[rows, label], kind="stable")
        chosen.append(rows[surest[: config.rows_per_class]])
    rows = np.sort(np.concatenate(chosen))
    return PseudoLabels(rows=rows, targets=chances[rows].astype(np.float32))
