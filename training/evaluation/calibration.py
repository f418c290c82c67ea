"""Calibration with label noise, calibration error, review threshold, conformal sets.

All of it is fitted on out-of-fold predictions.
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
"""A threshold that no row reaches: every row needs review."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The mapping from logits to probabilities, and the thresholds; exported with the model.

    Labels are noisy: of the texts that belong to class k, the share ``label_noise[k]`` has a label
    drawn from ``prior`` instead.
    """

    temperature: float  # logits are divided by it before the softmax
    label_noise: Floats  # [K], between 0 and 1
    prior: Floats  # [K], sums to 1
    review_threshold: float  # a row with less confidence needs review
    quantile: float  # genre_set: labels with probability >= 1 - quantile

    def __call__(self, logits: Floats) -> Floats:
        """Probabilities [N, K]."""
        return _with_label_noise(logits, self.temperature, self.label_noise, self.prior)


def fit_calibration(logits: Floats, labels: Ints, config: CalibrationConfig) -> Calibration:
    """Fit the calibration on out-of-fold logits [N, K] and labels [N].

    A temperature alone cannot express that no row deserves a confidence of 0.99 because labels are
    noisy, so label noise is applied after the softmax. It differs by class.
    """
    classes = logits.shape[1]
    prior = np.maximum(np.bincount(labels, minlength=classes), 0.5) / len(labels)
    prior = prior / prior.sum()
    temperature, label_noise = fit_temperature_and_label_noise(logits, labels, prior)
    calibration = Calibration(
        temperature=temperature,
        label_noise=label_noise,
        prior=prior,
        review_threshold=REVIEW_ALL,
        quantile=1.0,
    )
    probabilities = calibration(logits)
    return replace(
        calibration,
        review_threshold=fit_threshold(probabilities, labels, config.precision),
        quantile=fit_quantile(probabilities, labels, config.coverage),
    )


def fit_temperature_and_label_noise(
    logits: Floats, labels: Ints, prior: Floats
) -> tuple[float, Floats]:
    """Fit a temperature (0.05 to 20) and label noise [K] (0.001 to 0.5) by maximum likelihood.

    The logarithms of the noise are regularised towards their mean, as by a normal prior, because
    rare labels have few rows to estimate it from.

    Args:
        logits: out of fold [N, K].
        labels: [N].
        prior: class shares [K].
    """
    rows = np.arange(len(labels))

    def loss(parameters: Floats) -> float:
        label_noise = np.exp(parameters[1:])
        probabilities = _with_label_noise(logits, float(np.exp(parameters[0])), label_noise, prior)
        penalty = float(((parameters[1:] - parameters[1:].mean()) ** 2).sum())
        return -float(np.log(probabilities[rows, labels]).mean()) + penalty / len(labels)

    classes = logits.shape[1]
    noise_bounds = (math.log(0.001), math.log(0.5))
    result = minimize(
        loss,
        np.log([1.0, *[0.03] * classes]),
        method="L-BFGS-B",
        bounds=[(math.log(0.05), math.log(20.0)), *[noise_bounds] * classes],
    )
    return float(np.exp(result.x[0])), np.exp(result.x[1:])


def _with_label_noise(
    logits: Floats, temperature: float, label_noise: Floats, prior: Floats
) -> Floats:
    clean = softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=1)
    return np.asarray(clean * (1.0 - label_noise) + (clean @ label_noise)[:, None] * prior)


def calibration_error(probabilities: Floats, labels: Ints, bins: int) -> float:
    """Expected calibration error: the gap between confidence and accuracy, mean over the rows."""
    return sum(
        abs(row.accuracy - row.confidence) * row.rows
        for row in reliability_bins(probabilities, labels, bins)
    ) / len(labels)


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Statistics of the rows whose confidence lies between two bounds."""

    low: float
    high: float
    rows: int
    confidence: float  # mean
    accuracy: float


def reliability_bins(probabilities: Floats, labels: Ints, bins: int) -> list[ReliabilityBin]:
    """Equal-width confidence bins, lowest first, without empty ones."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_index = np.minimum((confidence * bins).astype(int), bins - 1)
    result = []
    for index in range(bins):
        inside = bin_index == index
        if inside.any():
            result.append(
                ReliabilityBin(
                    low=index / bins,
                    high=(index + 1) / bins,
                    rows=int(inside.sum()),
                    confidence=float(confidence[inside].mean()),
                    accuracy=float(correct[inside].mean()),
                )
            )
    return result


def fit_threshold(probabilities: Floats, labels: Ints, precision: float) -> float:
    """The lowest confidence above which accuracy exceeds ``precision`` by one standard error.

    Without the margin the threshold would be too optimistic, because it is the best of many
    thresholds on the same rows.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = (probabilities.argmax(axis=1) == labels)[order]
    rows_above = np.arange(1, len(correct) + 1)
    required = precision + np.sqrt(precision * (1.0 - precision) / rows_above)
    sufficient = np.flatnonzero(np.cumsum(correct) / rows_above >= required)
    return float(confidence[order[sufficient[-1]]]) if len(sufficient) else REVIEW_ALL


def fit_quantile(probabilities: Floats, labels: Ints, coverage: float) -> float:
    """Split-conformal quantile of 1 - p(true label), with the finite-sample correction."""
    scores = np.sort(1.0 - probabilities[np.arange(len(labels)), labels])
    rank = math.ceil((len(scores) + 1) * coverage)
    return 1.0 if rank > len(scores) else float(scores[rank - 1])


def conformal_sets(probabilities: Floats, quantile: float) -> npt.NDArray[np.bool_]:
    """bool [N, K]: labels with a probability >= 1 - quantile, and the most probable one."""
    inside = probabilities >= 1.0 - quantile
    inside[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
    return inside
