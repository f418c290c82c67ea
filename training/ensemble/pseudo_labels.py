"""Pseudo-labels: soft labels of extra texts, from the linear models, for the sequence model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.config import PseudoLabelsConfig

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class PseudoLabels:
    """Selected extra texts and their soft labels."""

    rows: npt.NDArray[np.int64]  # [M] positions among the extra texts
    targets: npt.NDArray[np.float32]  # [M, K], rows sum to 1

    def save(self, path: Path) -> None:
        """Write one npz file."""
        np.savez(path, rows=self.rows, targets=self.targets)

    @staticmethod
    def load(path: Path) -> "PseudoLabels":
        """Read what ``save`` wrote."""
        with np.load(path) as arrays:
            return PseudoLabels(rows=arrays["rows"], targets=arrays["targets"])


def select_pseudo_labels(logits: Floats, prior: Floats, config: PseudoLabelsConfig) -> PseudoLabels:
    """Select the most confident texts per label.

    Readers' tags are ignored, because the models are more often right.

    Args:
        logits: log odds [N, K] of the linear models.
        prior: class shares [K] in the data.
        config: limits and logit adjustment.
    """
    adjusted = logits - config.logit_adjustment_tau * np.log(prior)
    powers = np.exp(adjusted - adjusted.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    selected = [np.zeros(0, dtype=np.int64)]
    for label in range(probabilities.shape[1]):
        rows = np.flatnonzero(predicted == label)
        by_confidence = np.argsort(-probabilities[rows, label], kind="stable")
        selected.append(rows[by_confidence[: config.max_rows_per_class]])
    rows = np.sort(np.concatenate(selected))
    return PseudoLabels(rows=rows, targets=probabilities[rows].astype(np.float32))
