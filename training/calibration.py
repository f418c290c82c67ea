"""What a confidence promises: label noise, calibration error, review threshold, conformal sets.

Everything here is fitted on predictions for rows that the predicting model did not learn from.
"""

import math
from dataclasses import dataclass, replace
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
    noise: Floats  # [K, K], rows sum to 1: how often a text that reads like i is labelled j
    tilt: Floats  # [K], taken off the log probabilities, which then are normalised anew
    review_threshold: float  # a row with less confidence needs a person
    quantile: float  # genre_set: labels with probability >= 1 - quantile

    def __call__(self, logits: Floats) -> Floats:
        """Probabilities [N, K]."""
        noisy = (
            softmax(np.asarray(logits, dtype=np.float64) / self.temperature, axis=1) @ self.noise
        )
        return np.asarray(softmax(np.log(noisy) - self.tilt, axis=1))


def fit_calibration(logits: Floats, labels: Ints, config: CalibrationConfig) -> Calibration:
    """Calibration from held-out logits [N, K] and labels [N].

    Labels are noisy: one and the same novel is "fantasy" here and "science" there. A temperature
    alone cannot say that no row deserves 0.99, so a matrix of label noise follows the softmax. The
    tilt moves decisions towards rare labels on purpose.
    """
    temperature, noise = _fit_noise(logits, labels, config)
    classes = logits.shape[1]
    share = np.maximum(np.bincount(labels, minlength=classes), 0.5) / len(labels)
    plain = Calibration(
        temperature=temperature,
        noise=noise,
        tilt=config.tilt * np.log(share),
        review_threshold=REVIEW_ALL,
        quantile=1.0,
    )
    chances = plain(logits)
    return replace(
        plain,
        review_threshold=fit_threshold(chances, labels, config.precision),
        quantile=fit_quantile(chances, labels, config.coverage),
    )


def _fit_noise(logits: Floats, labels: Ints, config: CalibrationConfig) -> tuple[float, Floats]:
    """Temperature and noise matrix with the least negative log-likelihood together."""
    rows = np.arange(len(labels))
    start = fit_temperature(logits, labels)
    best: tuple[float, float, Floats] = (math.inf, start, np.eye(logits.shape[1]))
    for temperature in start * np.array([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15]):
        chances = softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1)
        noise = noise_matrix(chances, labels, config)
        loss = -float(np.log((chances @ noise)[rows, labels]).mean())
        if loss < best[0]:
            best = (loss, float(temperature), noise)
    return best[1], best[2]


def noise_matrix(
    chances: Floats, labels: Ints, config: CalibrationConfig, rounds: int = 100
) -> Floats:
    """How often a text that reads like label i carries label j, [K, K], rows sum to 1.

    Expectation maximisation on held-out probabilities [N, K], with the configured rows of belief
    as a prior, so that few rows say little.
    """
    classes = chances.shape[1]
    given = np.eye(classes)[labels]
    prior = config.noise_stay * np.eye(classes) + config.noise_leave
    noise = prior / prior.sum(axis=1, keepdims=True)
    for _ in range(rounds):
        reads = chances * noise[:, labels].T
        reads /= reads.sum(axis=1, keepdims=True)
        counted = reads.T @ given + prior
        noise = counted / counted.sum(axis=1, keepdims=True)
    return np.asarray(noise)


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
