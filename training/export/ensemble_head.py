"""The last step of the ensemble: weights and calibration, as a file of the run directory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.calibration import Calibration

_FILE = "ensemble_head.npz"


@dataclass(frozen=True, kw_only=True)
class EnsembleHead:
    """From the members' scores to calibrated probabilities."""

    weights: npt.NDArray[np.floating[Any]]  # [M], the sequence model first
    calibration: Calibration

    def save(self, workdir: Path) -> None:
        """Write it into the run directory."""
        np.savez(workdir / _FILE, weights=self.weights, **vars(self.calibration))

    @staticmethod
    def load(workdir: Path) -> "EnsembleHead":
        """Read what ``save`` wrote."""
        with np.load(workdir / _FILE) as arrays:
            return EnsembleHead(
                weights=arrays["weights"],
                calibration=Calibration(
                    temperature=float(arrays["temperature"]),
                    label_noise=arrays["label_noise"],
                    prior=arrays["prior"],
                    review_threshold=float(arrays["review_threshold"]),
                    quantile=float(arrays["quantile"]),
                ),
            )
