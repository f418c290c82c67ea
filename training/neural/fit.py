"""Trains the sequence model: pre-training with pseudo-labelled texts, then on the data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import PhaseConfig, TrainingConfig
from training.data.dataset import ExtraTexts, Labelled
from training.features.fold_artifacts import FoldArtifacts
from training.features.vectoriser import encode
from training.neural import build_model
from training.neural.graph_inputs import Shape
from training.neural.imbalance import class_weights
from training.neural.layers import WordVectors
from training.neural.stage import Examples, run_stage

_WEIGHTS = "model.weights.h5"
_DONE = "done.json"

Epochs = tuple[int, int]
"""Passes in pre-training and in training."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained sequence model."""

    model: keras.Model  # int32 tokens [N, T] → float32 scores [N, K]
    words: WordVectors  # its table, shared with the linear models
    epochs: Epochs  # of the best weights


def fit(
    learn: Labelled,
    validation: Labelled | None,
    extra: ExtraTexts,
    prepared: FoldArtifacts,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    *,
    title: str,
    epochs: Epochs | None = None,
) -> Fitted:
    """Train one model in ``folder``, or resume an interrupted training there.

    With ``validation`` the best epoch is kept. Without, ``epochs`` is the number of passes, and the
    last epoch is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _DONE).exists():
        keras.utils.set_random_seed(config.seed)
        model, _ = _untrained(prepared, classes, config)
        done = _train(
            model, learn, validation, extra, prepared, classes, config, folder, title, epochs
        )
        model.save_weights(folder / _WEIGHTS)
        (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
    return load(folder, prepared, classes, config)


def load(folder: Path, prepared: FoldArtifacts, classes: int, config: TrainingConfig) -> Fitted:
    """The model that ``fit`` finished in ``folder``."""
    model, words = _untrained(prepared, classes, config)
    model.load_weights(folder / _WEIGHTS)
    first, second = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    return Fitted(model=model, words=words, epochs=(first, second))


def _untrained(
    prepared: FoldArtifacts, classes: int, config: TrainingConfig
) -> tuple[keras.Model, WordVectors]:
    shape = Shape(
        architecture=config.model.architecture,
        tokens=len(prepared.idf),
        dimensions=config.embedding.dimensions,
        classes=classes,
        max_tokens=config.text.max_tokens,
        settings=config.model,
        seed=config.seed,
    )
    words = WordVectors(shape.tokens, shape.dimensions)
    model = build_model(shape, words)
    words.set_weights([prepared.unit.astype(np.float16), prepared.length])
    return model, words


def _train(
    model: keras.Model,
    learn: Labelled,
    validation: Labelled | None,
    extra: ExtraTexts,
    prepared: FoldArtifacts,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    title: str,
    epochs: Epochs | None,
) -> Epochs:
    def read(texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        return encode(texts, prepared.vocabulary, config.text.max_tokens)

    taught = prepared.taught
    rows = read(learn.texts)
    more = [*rows, *read([extra.texts[row] for row in taught.rows])]
    judge = None if validation is None else (read(validation.texts), validation.labels)
    stages = (
        ("pre-training", config.pretraining, more, taught.targets),
        ("training", config.training, rows, taught.targets[:0]),
    )
    done = [0, 0]
    for index, (name, phase, chosen, targets) in enumerate(stages):
        limit = phase.epochs if epochs is None else epochs[index]
        if limit == 0 or (name == "pre-training" and not len(targets)):
            continue
        done[index] = run_stage(
            model,
            _examples(chosen, learn.labels, targets, classes, phase, config.teaching.weight),
            judge,
            phase.model_copy(update={"epochs": limit}),
            folder / name,
            title=f"{title} {name}",
            seed=config.seed + index,
            tensorboard=config.tensorboard,
        )
    return done[0], done[1]


def _examples(
    rows: list[npt.NDArray[np.int32]],
    labels: npt.NDArray[np.int64],
    taught: npt.NDArray[np.float32],
    classes: int,
    phase: PhaseConfig,
    taught_weight: float,
) -> Examples:
    """Labelled rows followed by pseudo-labelled ones; rare labels weigh more in both."""
    hard = np.eye(classes, dtype=np.float32)[labels]
    hard = hard * (1 - phase.label_smoothing) + phase.label_smoothing / classes
    per_class = class_weights(labels, classes, phase.class_weight_power)
    return Examples(
        rows=rows,
        targets=np.concatenate([hard, taught]),
        weights=np.concatenate([per_class[labels], taught_weight * (taught @ per_class)]),
    )
