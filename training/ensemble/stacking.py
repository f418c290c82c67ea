"""Several scorers, one answer: their scores are weighed and added up."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships none
from scipy.special import log_softmax, softmax  # type: ignore[import-untyped]  # the same

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

_RESTRAINT = 1e-4
"""Penalty on squared weights: rows that everyone gets right would let them grow for ever."""


def fit_weights(scores: Floats, labels: Ints) -> Floats:
    """The weights [M], none negative, with the least negative log-likelihood.

    ``scores`` [M, N, K] are those of rows the scorers did not learn from, the sequence model's
    first. A scorer that helps nobody gets 0. The experts are weighed first, then the sequence model
    on top of their sum: weighed together, it took weight from experts that are right more often,
    for confidence, and cost 0.008 macro-F1.
    """
    nothing = np.zeros(scores.shape[1:])
    experts = _fit(scores[1:], labels, nothing)
    return np.concatenate([_fit(scores[:1], labels, fused(scores[1:], experts)), experts])


def _fit(scores: Floats, labels: Ints, given: Floats) -> Floats:
    """Weights [M] of scores that are added to ``given`` [N, K]."""
    rows = np.arange(len(labels))
    wanted = np.eye(scores.shape[2])[labels]

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = given + fused(scores, weights)
        surprise = -float(log_softmax(logits, axis=1)[rows, labels].mean())
        slope = ((softmax(logits, axis=1) - wanted)[None] * scores).sum(axis=(1, 2)) / len(labels)
        return surprise + _RESTRAINT * float(weights @ weights), slope + 2 * _RESTRAINT * weights

    found = minimize(
        loss,
        np.full(len(scores), 1.0 / len(scores)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(scores),
    )
    return np.asarray(found.x)


def fused(scores: Floats, weights: Floats) -> Floats:
    """Logits [N, K] of scores [M, N, K]."""
    return np.asarray(np.tensordot(weights, scores, axes=1))


def cross_fitted(scores: Floats, labels: Ints, folds: Ints) -> Floats:
    """Logits [N, K] of held-out scores [M, N, K]; each fold by weights fitted on the others."""
    logits = np.zeros(scores.shape[1:], dtype=np.float64)
    for fold in np.unique(folds):
        held = folds == fold
        logits[held] = fused(scores[:, held], fit_weights(scores[:, ~held], labels[~held]))
    return logits
