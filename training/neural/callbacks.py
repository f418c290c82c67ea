"""Keras callbacks: macro-F1, early stopping, best weights, resuming, progress."""

import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from training.neural.batches import Tokens, TrainingBatches, predict_logits

BEST_WEIGHTS = "best.weights.h5"
SCORES = "scores.json"


class BeginEpoch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Makes an epoch's batches and dropout follow from the seed and its number alone.

    After a resume it is not the first epoch, and Keras's backup does not hold random states.
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
        """Score this epoch."""
        if logs is None:
            return
        found = predict_logits(self.model, self._rows).argmax(axis=1)
        logs["val_macro_f1"] = float(
            f1_score(self._labels, found, average="macro", zero_division=0.0)
        )


class BestOnMacroF1(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keeps the best epoch's weights in ``folder`` and stops after ``patience`` epochs without.

    The scores are on disk and everything else follows from them, so that an epoch that is repeated
    after an interruption counts once.
    """

    def __init__(self, folder: Path, patience: int) -> None:
        super().__init__()
        self._folder = folder
        self._patience = patience
        self.scores: dict[int, float] = read_scores(folder)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the score, save the best weights, stop early."""
        self.scores[epoch] = (logs or {})["val_macro_f1"]
        best = best_epoch(self.scores)
        if best == epoch:
            self.model.save_weights(self._folder / BEST_WEIGHTS)
        (self._folder / SCORES).write_text(json.dumps(self.scores), encoding="utf-8")
        if epoch - best >= self._patience:
            self.model.stop_training = True


def read_scores(folder: Path) -> dict[int, float]:
    """Validation macro-F1 by epoch as left by an earlier run; empty if there was none."""
    path = folder / SCORES
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {int(epoch): float(score) for epoch, score in content.items()}


def best_epoch(scores: dict[int, float]) -> int:
    """The first epoch with the highest score."""
    return max(sorted(scores), key=lambda epoch: scores[epoch])


def half_cosine(learning_rate: float, epochs: int) -> Callable[[int, float], float]:
    """Learning rate of an epoch: half at first while Adam's means are young, then a half cosine."""

    def rate(epoch: int, _current: float) -> float:
        if epoch == 0:
            return learning_rate / 2
        return learning_rate * 0.5 * (1.0 + math.cos(math.pi * (epoch - 1) / max(1, epochs)))

    return rate


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """One line per epoch, for a person or a log; Keras's own bar fills logs with returns."""

    def __init__(self, title: str, epochs: int) -> None:
        super().__init__()
        self._title = title
        self._epochs = epochs
        self._started = time.monotonic()

    def on_epoch_begin(self, _epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Print the line."""
        values = " · ".join(f"{name} {value:.4f}" for name, value in (logs or {}).items())
        done = round(10 * (epoch + 1) / self._epochs)
        print(
            f"{self._title} [{'#' * done}{'.' * (10 - done)}] epoch {epoch + 1}/{self._epochs} · "
            f"{values} · {time.monotonic() - self._started:.0f} s",
            flush=True,
        )
