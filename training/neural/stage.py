"""One stage of training on one set of rows, resumable after an interruption."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import StageConfig
from training.console import EpochProgress
from training.neural.batches import Tokens, TrainingBatches
from training.neural.callbacks import (
    BEST_WEIGHTS,
    EarlyStopping,
    EpochSeeding,
    MacroF1,
    ReportEpochs,
    best_epoch,
    half_cosine,
    read_scores,
)
from training.neural.imbalance import FocalLoss

_FINISHED = "finished.weights.h5"


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Token rows with targets and sample weights."""

    rows: Sequence[Tokens]
    targets: npt.NDArray[np.float32]  # [N, K], rows sum to 1
    weights: npt.NDArray[np.float32]  # [N]


ValidationSet = tuple[Sequence[Tokens], npt.NDArray[np.int64]]
"""Validation rows and their label positions."""


def run_stage(
    model: keras.Model,
    examples: Examples,
    validation: ValidationSet | None,
    stage: StageConfig,
    folder: Path,
    *,
    name: str,
    seed: int,
    tensorboard: bool,
) -> int:
    """Train ``model`` in place; afterwards it has its best weights.

    Without validation rows all epochs run and the last weights are kept. A finished stage is not
    repeated; an interrupted one continues after its last complete epoch.

    Returns: the number of epochs behind the kept weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finished = folder / _FINISHED
    if not finished.exists():
        with EpochProgress(name, stage.epochs) as progress:
            _train(model, examples, validation, stage, folder, progress, seed, tensorboard)
        if validation is not None:
            model.load_weights(folder / BEST_WEIGHTS)
        model.save_weights(finished)
    model.load_weights(finished)
    return stage.epochs if validation is None else best_epoch(read_scores(folder)) + 1


def _train(
    model: keras.Model,
    examples: Examples,
    validation: ValidationSet | None,
    stage: StageConfig,
    folder: Path,
    progress: EpochProgress,
    seed: int,
    tensorboard: bool,
) -> None:
    batches = TrainingBatches(
        examples.rows,
        examples.targets,
        examples.weights,
        batch_rows=stage.batch_rows,
        seed=seed,
        balanced=stage.sampling == "balanced",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(stage.learning_rate, clipnorm=stage.max_gradient_norm),
        loss=(
            FocalLoss(stage.focal_gamma)
            if stage.loss == "focal"
            else keras.losses.CategoricalCrossentropy(from_logits=True)
        ),
    )
    callbacks: list[keras.callbacks.Callback] = [
        EpochSeeding(batches, seed),
        keras.callbacks.LearningRateScheduler(half_cosine(stage.learning_rate, stage.epochs)),
    ]
    if validation is not None:
        callbacks.append(MacroF1(*validation))
        callbacks.append(EarlyStopping(folder, stage.patience))
    callbacks.append(keras.callbacks.CSVLogger(str(folder / "log.csv"), append=True))
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(folder / "tensorboard")))
    callbacks.append(ReportEpochs(progress))
    # Last, so that its backup includes what the other callbacks recorded for the epoch.
    callbacks.append(keras.callbacks.BackupAndRestore(str(folder / "resume")))
    model.fit(batches.dataset(), epochs=stage.epochs, verbose=0, callbacks=callbacks)
