"""Keras callbacks: reproducible epochs, macro-F1, early stopping, progress."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from training.console import EpochProgress
from training.neural.batches import Tokens, TrainingBatches, predict_logits

BEST_WEIGHTS = "best.weights.h5"
SCORES = "scores.json"


class EpochSeeding(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Sets batches and dropout of an epoch from the seed and the epoch's number alone.

    So a resumed training equals an uninterrupted one: Keras's backup has no random states.
    """

    def __init__(self, batches: TrainingBatches, seed: int) -> None:
        super().__init__()
        self._batches = batches
        self._seed = seed

    def on_epoch_begin(self, epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Shuffle the batches and set the random states."""
        self._batches.shuffle(epoch)
        states = [v for v in self.model.variables if "seed_generator_state" in v.path]
        for index, state in enumerate(states):
            state.assign([self._seed * 1000 + index, epoch])


class MacroF1(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Adds ``val_macro_f1`` to the epoch's logs: the mean of the classes' F1 on validation rows."""

    def __init__(self, rows: Sequence[Tokens], labels: npt.NDArray[np.int64]) -> None:
        super().__init__()
        self._rows = rows
        self._labels = labels

    def on_epoch_end(self, _epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compute the score."""
        if logs is None:
            return
        predicted = predict_logits(self.model, self._rows).argmax(axis=1)
        logs["val_macro_f1"] = float(
            f1_score(self._labels, predicted, average="macro", zero_division=0.0)
        )


class EarlyStopping(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Saves the best epoch's weights; stops after ``patience`` epochs without a better one.

    The decision depends only on the scores on disk, so that an epoch that is repeated after an
    interruption counts once.
    """

    def __init__(self, folder: Path, patience: int) -> None:
        super().__init__()
        self._folder = folder
        self._patience = patience
        self.scores: dict[int, float] = read_scores(folder)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the score, save the weights if they are the best, stop early."""
        self.scores[epoch] = (logs or {})["val_macro_f1"]
        best = best_epoch(self.scores)
        if best == epoch:
            self.model.save_weights(self._folder / BEST_WEIGHTS)
        (self._folder / SCORES).write_text(json.dumps(self.scores), encoding="utf-8")
        if epoch - best >= self._patience:
            self.model.stop_training = True


def read_scores(folder: Path) -> dict[int, float]:
    """Validation macro-F1 by epoch, as saved by an earlier run; empty if there was none."""
    path = folder / SCORES
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {int(epoch): float(score) for epoch, score in content.items()}


def best_epoch(scores: dict[int, float]) -> int:
    """The first epoch with the highest score."""
    return max(sorted(scores), key=lambda epoch: scores[epoch])


def half_cosine(learning_rate: float, epochs: int) -> Callable[[int, float], float]:
    """Learning rate by epoch: half in the first one, as warm-up for Adam, then a half cosine."""

    def rate(epoch: int, _current: float) -> float:
        if epoch == 0:
            return learning_rate / 2
        return learning_rate * 0.5 * (1.0 + math.cos(math.pi * (epoch - 1) / max(1, epochs)))

    return rate


class ReportEpochs(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Passes each epoch's metrics on; Keras's own progress bar does not suit logs."""

    def __init__(self, progress: EpochProgress) -> None:
        super().__init__()
        self._progress = progress

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the epoch."""
        self._progress.complete_epoch(epoch, logs or {})
