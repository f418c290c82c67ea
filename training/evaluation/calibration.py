"""What a confidence promises: label noise, calibration error, review threshold, conformal sets.

Everything here is fitted on predictions for rows that the predicting model did not learn from.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships none
from scipy.special import softmax  # type: ignore[import-untyped]  # scipy ships none

from training.config import CalibrationConfig

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

REVIEW_ALL = 1.0
"""A confidence that no row reaches: none can be left alone."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Travels inside the model."""

    temperature: float  # logits are divided by it before the softmax
    noise: Floats  # [K]: of the texts that read like a label, how many have a label that says nothing about them
    share: Floats  # [K], sums to 1: how common each label is among those
    review_threshold: float  # a row with less confidence needs a person
    quantile: float  # genre_set: labels with probability >= 1 - quantile

    def __call__(self, logits: Floats) -> Floats:
        """Probabilities [N, K]."""
        return _noisy(logits, self.temperature, self.noise, self.share)


def fit_calibration(logits: Floats, labels: Ints, config: CalibrationConfig) -> Calibration:
    """Calibration from held-out logits [N, K] and labels [N].

    Labels are noisy: one and the same novel is "fantasy" here and "science" there. A temperature
    alone cannot say that no row deserves 0.99, so label noise follows the softmax, more of it for
    labels that are given more loosely.
    """
    classes = logits.shape[1]
    share = np.maximum(np.bincount(labels, minlength=classes), 0.5) / len(labels)
    share = share / share.sum()
    temperature, noise = fit_temperature_and_noise(logits, labels, share)
    plain = Calibration(
        temperature=temperature,
        noise=noise,
        share=share,
        review_threshold=REVIEW_ALL,
        quantile=1.0,
    )
    chances = plain(logits)
    return replace(
        plain,
        review_threshold=fit_threshold(chances, labels, config.precision),
        quantile=fit_quantile(chances, labels, config.coverage),
    )


def fit_temperature_and_noise(logits: Floats, labels: Ints, share: Floats) -> tuple[float, Floats]:
    """Temperature (0.05 to 20) and label noise [K] (0.001 to 0.5) that fit held-out rows best.

    Best is the least negative log-likelihood. ``share`` [K]: how common each label is. The logarithms
    of the noise are drawn to their mean as by a normal prior, since rare labels have few rows to tell it.
    """
    rows = np.arange(len(labels))

    def loss(parameters: Floats) -> float:
        noise = np.exp(parameters[1:])
        chances = _noisy(logits, float(np.exp(parameters[0])), noise, share)
        spread = float(((parameters[1:] - parameters[1:].mean()) ** 2).sum())
        return -float(np.log(chances[rows, labels]).mean()) + spread / len(labels)

    classes = logits.shape[1]
    noise_bounds = (math.log(0.001), math.log(0.5))
    found = minimize(
        loss,
        np.log([1.0, *[0.03] * classes]),
        method="L-BFGS-B",
        bounds=[(math.log(0.05), math.log(20.0)), *[noise_bounds] * classes],
    )
    return float(np.exp(found.x[0])), np.exp(found.x[1:])


def _noisy(logits: Floats, temperature: float, noise: Floats, share: Floats) -> Floats:
    reads = softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1)
    return np.asarray(reads * (1.0 - noise) + (reads @ noise)[:, None] * share)


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
    """The least confidence from which on rows are right more often than ``precision`` by one standard error.

    Without the standard error the threshold would promise too much, since of many thresholds the
    luckiest would be taken; with it a few rows above a threshold prove nothing.
    """
    confidence = chances.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (chances.argmax(axis=1) == labels)[order]
    above = np.arange(1, len(right) + 1)
    wanted = precision + np.sqrt(precision * (1.0 - precision) / above)
    enough = np.flatnonzero(np.cumsum(right) / above >= wanted)
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
