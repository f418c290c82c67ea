"""Class imbalance: class weights, focal loss, balanced sampling."""

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def class_weights(labels: Ints, classes: int, power: float) -> Floats:
    """Weight of each class, float32 [classes], with a mean of 1 over the rows.

    The weight is the inverse class share to the power ``power``: 0 weights rows equally, 1 classes.
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1.0) ** -power, 0.0)
    return np.asarray(weights * counts.sum() / (weights * counts).sum(), dtype=np.float32)


def balanced_sample(labels: Ints, random: np.random.Generator) -> Ints:
    """Row numbers [N], drawn with replacement so that each class is equally likely."""
    counts = np.bincount(labels)
    weights = 1.0 / counts[labels]
    return random.choice(len(labels), size=len(labels), p=weights / weights.sum())


class FocalLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras ships no types
    """Cross-entropy times (1 - p)^gamma, so that easy rows have less weight (Lin et al., 2017).

    Targets are float [N, K] rows that sum to 1, predictions are logits [N, K].
    """

    def __init__(self, gamma: float) -> None:
        super().__init__(name="focal")
        self.gamma = gamma

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        logs = ops.log_softmax(y_pred, axis=-1)
        return ops.sum(-y_true * (1.0 - ops.exp(logs)) ** self.gamma * logs, axis=-1)
