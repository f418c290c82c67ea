"""One stage of training on one set of rows, resumable after an interruption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import PhaseConfig
from training.neural.batches import Tokens, TrainingBatches
from training.neural.callbacks import (
    BEST_WEIGHTS,
    BeginEpoch,
    BestOnMacroF1,
    MacroF1,
    Progress,
    best_epoch,
    half_cosine,
    read_scores,
)
from training.neural.imbalance import FocalLoss

_FINISHED = "finished.weights.h5"


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Token rows with targets and weights."""

    rows: Sequence[Tokens]
    targets: npt.NDArray[np.float32]  # [N, K], rows sum to 1
    weights: npt.NDArray[np.float32]  # [N]


ValidationSet = tuple[Sequence[Tokens], npt.NDArray[np.int64]]
"""Validation rows and their label positions."""


def run_stage(
    model: keras.Model,
    learn: Examples,
    validation: ValidationSet | None,
    phase: PhaseConfig,
    folder: Path,
    *,
    title: str,
    seed: int,
    tensorboard: bool,
) -> int:
    """Train ``model`` in place and leave it with its best weights.

    Without validation rows all epochs run and the last weights stay. A finished stage is not
    repeated; an interrupted one continues after its last complete epoch.

    Returns: the number of epochs behind the kept weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished = folder / _FINISHED
    if not finished.exists():
        _train(model, learn, validation, phase, folder, title, seed, tensorboard)
        if validation is not None:
            model.load_weights(folder / BEST_WEIGHTS)
        model.save_weights(finished)
    model.load_weights(finished)
    return phase.epochs if validation is None else best_epoch(read_scores(folder)) + 1


def _train(
    model: keras.Model,
    learn: Examples,
    validation: ValidationSet | None,
    phase: PhaseConfig,
    folder: Path,
    title: str,
    seed: int,
    tensorboard: bool,
) -> None:
    batches = TrainingBatches(
        learn.rows,
        learn.targets,
        learn.weights,
        batch_rows=phase.batch_rows,
        seed=seed,
        balanced=phase.sampling == "balanced",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(phase.learning_rate, clipnorm=phase.gradient_norm),
        loss=(
            FocalLoss(phase.focal_gamma)
            if phase.loss == "focal"
            else keras.losses.CategoricalCrossentropy(from_logits=True)
        ),
    )
    callbacks: list[keras.callbacks.Callback] = [
        BeginEpoch(batches, seed),
        keras.callbacks.LearningRateScheduler(half_cosine(phase.learning_rate, phase.epochs)),
    ]
    if validation is not None:
        callbacks.append(MacroF1(*validation))
        callbacks.append(BestOnMacroF1(folder, phase.patience))
    callbacks.append(keras.callbacks.CSVLogger(str(folder / "log.csv"), append=True))
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(folder / "tensorboard")))
    callbacks.append(Progress(title, phase.epochs))
    # Last, so that its backup includes what the other callbacks recorded for the epoch.
    callbacks.append(keras.callbacks.BackupAndRestore(str(folder / "resume")))
    model.fit(batches.dataset(), epochs=phase.epochs, verbose=0, callbacks=callbacks)
