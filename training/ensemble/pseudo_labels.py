"""Pseudo-labels: extra texts with soft labels from the linear models."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.config import TeachingConfig

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Selected extra texts and their soft labels."""

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


def select_pseudo_labels(opinion: Floats, share: Floats, config: TeachingConfig) -> PseudoLabels:
    """Select the most confident texts per label, by log odds [N, K] of the linear models.

    ``share`` [K]: class shares in the data. Readers' tags are ignored, because the models are more
    often right.
    """
    adjusted = opinion - config.tilt * np.log(share)
    powers = np.exp(adjusted - adjusted.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    best = probabilities.argmax(axis=1)
    chosen = [np.zeros(0, dtype=np.int64)]
    for label in range(probabilities.shape[1]):
        rows = np.flatnonzero(best == label)
        surest = np.argsort(-probabilities[rows, label], kind="stable")
        chosen.append(rows[surest[: config.rows_per_class]])
    rows = np.sort(np.concatenate(chosen))
    return PseudoLabels(rows=rows, targets=probabilities[rows].astype(np.float32))
