"""What a confidence promises: temperature, calibration error, review threshold, conformal sets.

Everything here is fitted on predictions for rows that the predicting model did not learn from.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]  # scipy ships none
from scipy.special import log_softmax, softmax  # type: ignore[import-untyped]  # scipy ships none

from training.config import CalibrationConfig

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

REVIEW_ALL = 1.0
"""A confidence that no row reaches: none can be left alone."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Travels inside the model."""

    temperature: float  # logits are divided by it before the softmax
    review_threshold: float  # a row with less confidence needs a person
    quantile: float  # genre_set: labels with probability >= 1 - quantile


def fit_calibration(logits: Floats, labels: Ints, config: CalibrationConfig) -> Calibration:
    """Calibration from held-out logits [N, K] and labels [N]."""
    temperature = fit_temperature(logits, labels)
    chances = calibrated(logits, temperature)
    return Calibration(
        temperature=temperature,
        review_threshold=fit_threshold(chances, labels, config.precision),
        quantile=fit_quantile(chances, labels, config.coverage),
    )


def calibrated(logits: Floats, temperature: float) -> Floats:
    """Probabilities [N, K]."""
    return np.asarray(softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1))


def fit_temperature(logits: Floats, labels: Ints) -> float:
    """The temperature between 0.05 and 20 with the least negative log-likelihood."""
    rows = np.arange(len(labels))
    logits = np.asarray(logits, dtype=np.float64)

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / math.exp(log_temperature), axis=1)[rows, labels].mean())

    found = minimize_scalar(loss, bounds=(math.log(0.05), math.log(20.0)), method="bounded")
    return math.exp(float(found.x))


def calibration_error(chances: Floats, labels: Ints, bins: int) -> float:
    """Expected calibration error: the gap between confidence and accuracy, mean over the rows."""
    return sum(
        abs(row.accuracy - row.confidence) * row.rows for row in reliability(chances, labels, bins)
    ) / len(labels)


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The rows whose confidence lies between two bounds."""

    low: float
    high: float
    rows: int
    confidence: float  # mean
    accuracy: float


def reliability(chances: Floats, labels: Ints, bins: int) -> list[ReliabilityBin]:
    """Equal-width confidence bins that hold rows, lowest first."""
    confidence = chances.max(axis=1)
    right = chances.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    result = []
    for index in range(bins):
        inside = place == index
        if inside.any():
            result.append(
                ReliabilityBin(
                    low=index / bins,
                    high=(index + 1) / bins,
                    rows=int(inside.sum()),
                    confidence=float(confidence[inside].mean()),
                    accuracy=float(right[inside].mean()),
                )
            )
    return result


def fit_threshold(chances: Floats, labels: Ints, precision: float) -> float:
    """The least confidence from which on rows are right with ``precision``.

    Fewer than 20 rows above a threshold prove nothing: then every row needs review.
    """
    confidence = chances.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (chances.argmax(axis=1) == labels)[order]
    reached = np.cumsum(right) / np.arange(1, len(right) + 1)
    enough = np.flatnonzero((reached >= precision) & (np.arange(1, len(right) + 1) >= 20))
    return float(confidence[order[enough[-1]]]) if len(enough) else REVIEW_ALL


def fit_quantile(chances: Floats, labels: Ints, coverage: float) -> float:
    """Split-conformal quantile of 1 - p(right label), with the finite-sample correction."""
    scores = np.sort(1.0 - chances[np.arange(len(labels)), labels])
    rank = math.ceil((len(scores) + 1) * coverage)
    return 1.0 if rank > len(scores) else float(scores[rank - 1])


def genre_sets(chances: Floats, quantile: float) -> npt.NDArray[np.bool_]:
    """bool [N, K]: the labels with a probability of at least 1 - quantile, the first one always."""
    inside = chances >= 1.0 - quantile
    inside[np.arange(len(chances)), chances.argmax(axis=1)] = True
    return inside
