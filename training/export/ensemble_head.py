"""How scores become an answer: weights and calibration, as a file of the run folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation.calibration import Calibration

_FILE = "answer.npz"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The last step of a model."""

    weights: npt.NDArray[np.floating[Any]]  # [M], the sequence model first
    calibration: Calibration


def write_answer(answer: Answer, workdir: Path) -> None:
    """Into the run folder."""
    np.savez(workdir / _FILE, weights=answer.weights, **vars(answer.calibration))


def read_answer(workdir: Path) -> Answer:
    """What ``write_answer`` wrote."""
    with np.load(workdir / _FILE) as found:
        return Answer(
            weights=found["weights"],
            calibration=Calibration(
                temperature=float(found["temperature"]),
                noise=found["noise"],
                share=found["share"],
                review_threshold=float(found["review_threshold"]),
                quantile=float(found["quantile"]),
            ),
        )
