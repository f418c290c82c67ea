"""Several members, one model: their scores are weighed, added up and tilted towards rare labels."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize  # type: ignore[import-untyped]  # scipy ships none
from scipy.special import log_softmax, softmax  # type: ignore[import-untyped]  # the same

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating[Any]]

_FILE = "fusion.json"


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """logits = sum of weight x scores over the members, plus bias."""

    weights: tuple[float, ...]  # one per member, not negative
    bias: tuple[float, ...]  # one per label

    def __call__(self, scores: Floats) -> Floats:
        """Logits [N, K] of the members' scores [M, N, K]."""
        return np.asarray(np.tensordot(self.weights, scores, axes=1) + np.array(self.bias))

    def save(self, folder: Path) -> None:
        """Write it into a run folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> "Fusion":
        """Read what ``save`` wrote."""
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return Fusion(weights=tuple(content["weights"]), bias=tuple(content["bias"]))


def fit_fusion(scores: Floats, labels: Ints, tilt: float) -> Fusion:
    """The weights with the least negative log-likelihood on held-out scores [M, N, K].

    A member whose scores help nobody gets 0. The tilt is added behind: it moves decisions towards
    rare labels on purpose, away from the likelihood.
    """
    rows = np.arange(len(labels))
    wanted = np.eye(scores.shape[2])[labels]

    def loss(weights: Floats) -> tuple[float, Floats]:
        logits = np.tensordot(weights, scores, axes=1)
        surprise = -float(log_softmax(logits, axis=1)[rows, labels].mean())
        slope = ((softmax(logits, axis=1) - wanted)[None] * scores).sum(axis=(1, 2)) / len(labels)
        return surprise + 1e-4 * float(weights @ weights), slope + 2e-4 * weights

    found = minimize(
        loss,
        np.full(len(scores), 1.0 / len(scores)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(scores),
    )
    share = np.maximum(np.bincount(labels, minlength=scores.shape[2]), 1) / len(labels)
    return Fusion(
        weights=tuple(float(weight) for weight in found.x),
        bias=tuple(float(bias) for bias in -tilt * np.log(share)),
    )


def cross_fitted(scores: Floats, labels: Ints, folds: Ints, tilt: float) -> Floats:
    """Logits [N, K] of held-out scores [M, N, K]; each fold by a fusion fitted on the others."""
    logits = np.zeros(scores.shape[1:], dtype=np.float64)
    for fold in np.unique(folds):
        held = folds == fold
        logits[held] = fit_fusion(scores[:, ~held], labels[~held], tilt)(scores[:, held])
    return logits


class WeighedSum(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """M scores float32 [N, K] → logits float32 [N, K]."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__(name="fusion", trainable=False)
        self._fusion = fusion

    def call(self, scores: Sequence[Any]) -> Any:
        pairs = zip(self._fusion.weights, scores, strict=True)
        return sum(weight * score for weight, score in pairs) + np.array(
            self._fusion.bias, np.float32
        )


def fused_model(members: Sequence[keras.Model], fusion: Fusion) -> keras.Model:
    """One graph: int32 tokens [N, T] → logits float32 [N, K]."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    return keras.Model(inputs, WeighedSum(fusion)([member(inputs) for member in members]))
