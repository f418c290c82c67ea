"""Trains the sequence model: pre-training with pseudo-labelled texts, then training on the data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import StageConfig, TrainingConfig
from training.data.dataset import ExtraTexts, LabelledTexts
from training.features.fold_artifacts import FoldArtifacts
from training.features.vectoriser import encode
from training.neural.architectures import build_model
from training.neural.architectures.inputs_and_head import ModelShape
from training.neural.imbalance import class_weights
from training.neural.layers import WordVectors
from training.neural.stage import Examples, run_stage

_WEIGHTS = "model.weights.h5"
_EPOCHS = "epochs.json"

Epochs = tuple[int, int]
"""Number of epochs in pre-training and in training."""


@dataclass(frozen=True, kw_only=True)
class SequenceModel:
    """A trained sequence model."""

    model: keras.Model  # int32 tokens [N, T] → float32 scores [N, K]
    words: WordVectors  # its embedding, which the linear models share
    epochs: Epochs  # of the best weights


def fit(
    data: LabelledTexts,
    validation: LabelledTexts | None,
    extra: ExtraTexts,
    artifacts: FoldArtifacts,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    *,
    epochs: Epochs | None = None,
) -> SequenceModel:
    """Train one model in ``folder``, or resume an interrupted training there.

    With ``validation`` the best epoch is kept. Without, the last one is kept, and ``epochs``
    replaces the configured numbers of epochs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / _EPOCHS).exists():
        keras.utils.set_random_seed(config.seed)
        model, _ = _untrained(artifacts, classes, config)
        trained = _train(model, data, validation, extra, artifacts, classes, config, folder, epochs)
        model.save_weights(folder / _WEIGHTS)
        (folder / _EPOCHS).write_text(json.dumps(trained), encoding="utf-8")
    return load(folder, artifacts, classes, config)


def load(
    folder: Path, artifacts: FoldArtifacts, classes: int, config: TrainingConfig
) -> SequenceModel:
    """Load the model that ``fit`` trained in ``folder``."""
    model, words = _untrained(artifacts, classes, config)
    model.load_weights(folder / _WEIGHTS)
    pretraining, training = json.loads((folder / _EPOCHS).read_text(encoding="utf-8"))
    return SequenceModel(model=model, words=words, epochs=(pretraining, training))


def _untrained(
    artifacts: FoldArtifacts, classes: int, config: TrainingConfig
) -> tuple[keras.Model, WordVectors]:
    shape = ModelShape(
        architecture=config.model.architecture,
        tokens=len(artifacts.idf),
        dimensions=config.embedding.dimensions,
        classes=classes,
        max_tokens=config.text.max_tokens,
        settings=config.model,
        seed=config.seed,
    )
    words = WordVectors(shape.tokens, shape.dimensions)
    model = build_model(shape, words)
    words.set_weights([artifacts.unit_vectors.astype(np.float16), artifacts.vector_lengths])
    return model, words


def _train(
    model: keras.Model,
    data: LabelledTexts,
    validation: LabelledTexts | None,
    extra: ExtraTexts,
    artifacts: FoldArtifacts,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    epochs: Epochs | None,
) -> Epochs:
    def tokens(texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        return encode(texts, artifacts.vocabulary, config.text.max_tokens)

    pseudo = artifacts.pseudo_labels
    data_rows = tokens(data.texts)
    all_rows = [*data_rows, *tokens([extra.texts[row] for row in pseudo.rows])]
    validation_set = None if validation is None else (tokens(validation.texts), validation.labels)
    stages = (
        ("pre-training", config.pretraining, all_rows, pseudo.targets),
        ("training", config.training, data_rows, pseudo.targets[:0]),
    )
    trained = [0, 0]
    for index, (name, stage, rows, soft_targets) in enumerate(stages):
        limit = stage.epochs if epochs is None else epochs[index]
        if limit == 0 or (name == "pre-training" and not len(soft_targets)):
            continue
        pseudo_weight = config.pseudo_labels.weight
        trained[index] = run_stage(
            model,
            _examples(rows, data.labels, soft_targets, classes, stage, pseudo_weight),
            validation_set,
            stage.model_copy(update={"epochs": limit}),
            folder / name,
            name=name,
            seed=config.seed + index,
            tensorboard=config.tensorboard,
        )
    return trained[0], trained[1]


def _examples(
    rows: list[npt.NDArray[np.int32]],
    labels: npt.NDArray[np.int64],
    soft_targets: npt.NDArray[np.float32],
    classes: int,
    stage: StageConfig,
    pseudo_weight: float,
) -> Examples:
    """Labelled rows followed by pseudo-labelled ones; rare labels have more weight in both."""
    hard_targets = np.eye(classes, dtype=np.float32)[labels]
    hard_targets = hard_targets * (1 - stage.label_smoothing) + stage.label_smoothing / classes
    per_class = class_weights(labels, classes, stage.class_weight_power)
    return Examples(
        rows=rows,
        targets=np.concatenate([hard_targets, soft_targets]),
        weights=np.concatenate([per_class[labels], pseudo_weight * (soft_targets @ per_class)]),
    )
