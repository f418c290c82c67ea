"""One model, fitted in its folder: solved at once, or trained on the extras and then on the data."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data import Labelled
from training.embeddings import starting_embedding
from training.models import build_model
from training.models.shape import EMBEDDING, Shape
from training.phase import Examples, run_phase
from training.prepare import Prepared
from training.solve import SOLVERS, gather, support_rows
from training.vectoriser import RESERVED, encode

_VOCABULARY = "vocabulary.txt"
_SHAPE = "shape.json"
_WEIGHTS = "model.weights.h5"
_DONE = "done.json"

Epochs = tuple[int, int]
"""Passes in pre-training and in training."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model and the vocabulary it reads with."""

    model: keras.Model  # int32 tokens [N, T] → float32 scores [N, K]
    vocabulary: tuple[str, ...]
    shape: Shape
    epochs: Epochs  # those that were best; (0, 0) for a solved model

    def encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """Token rows that the model reads."""
        return encode(texts, self.vocabulary, None)


def fit(
    architecture: str,
    learn: Labelled,
    validation: Labelled | None,
    prepared: Prepared,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    *,
    title: str,
    epochs: Epochs | None = None,
) -> Fitted:
    """Fit one model in ``folder``; what an earlier, interrupted call left there is not repeated.

    With ``validation`` the best epoch on it is kept. Without, ``epochs`` says how many passes to
    make, and the last one is kept. A solved architecture learns from the validation rows too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _DONE).exists():
        return load(folder, config)
    (folder / _VOCABULARY).write_text("\n".join(prepared.vocabulary), encoding="utf-8")
    keras.utils.set_random_seed(config.seed)
    shape = Shape(
        architecture=architecture,
        tokens=len(prepared.vocabulary) + RESERVED,
        dimensions=config.embedding.dimensions,
        classes=classes,
        max_tokens=config.text.max_tokens,
        settings=config.model,
        seed=config.seed,
        gamma=config.kernel.gamma,
    )
    if architecture in SOLVERS:
        shape, model = _solve(shape, learn.plus(validation), prepared, config)
        done = (0, 0)
    else:
        model = build_model(shape)
        model.get_layer(EMBEDDING).set_weights([starting_embedding(prepared.vectors)])
        done = _train(model, learn, validation, prepared, config, folder, title, epochs)
    sizes = {**asdict(shape), "settings": None}
    (folder / _SHAPE).write_text(json.dumps(sizes), encoding="utf-8")
    model.save_weights(folder / _WEIGHTS)
    (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
    return load(folder, config)


def load(folder: Path, config: TrainingConfig, *, half: bool = False) -> Fitted:
    """The model that ``fit`` finished in ``folder``.

    ``half`` stores its word vectors as float16, which halves the file; what is shipped, and what
    an export is compared with.
    """
    vocabulary = tuple((folder / _VOCABULARY).read_text(encoding="utf-8").split())
    sizes = json.loads((folder / _SHAPE).read_text(encoding="utf-8"))
    shape = Shape(**{**sizes, "settings": config.model})
    model = build_model(shape)
    model.load_weights(folder / _WEIGHTS)
    if half:
        model = _halved(model, shape)
    first, second = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    return Fitted(model=model, vocabulary=vocabulary, shape=shape, epochs=(first, second))


def _halved(model: keras.Model, shape: Shape) -> keras.Model:
    result = build_model(replace(shape, half=True))
    for layer, whole in zip(result.layers, model.layers, strict=True):
        kinds = [variable.dtype for variable in layer.weights]
        weights = whole.get_weights()
        layer.set_weights([w.astype(kind) for w, kind in zip(weights, kinds, strict=True)])
    return result


def _solve(
    shape: Shape, learn: Labelled, prepared: Prepared, config: TrainingConfig
) -> tuple[Shape, keras.Model]:
    settings = config.wide if shape.architecture == "wide" else config.kernel
    rows = gather(learn, prepared, settings.extra_weight)
    kept = support_rows(rows, config.kernel.support_rows, seed=config.seed)
    shape = replace(shape, support_rows=len(kept))
    model = build_model(shape)
    SOLVERS[shape.architecture](model, rows, prepared, shape.classes, config)
    return shape, model


def _train(
    model: keras.Model,
    learn: Labelled,
    validation: Labelled | None,
    prepared: Prepared,
    config: TrainingConfig,
    folder: Path,
    title: str,
    epochs: Epochs | None,
) -> Epochs:
    def examples(rows: Labelled) -> Examples:
        numbers = encode(rows.texts, prepared.vocabulary, config.text.max_tokens)
        return Examples(rows=numbers, labels=rows.labels)

    judge = None if validation is None else examples(validation)
    done = [0, 0]
    stages = (
        ("pre-training", config.pretraining, prepared.trusted),
        ("training", config.training, learn),
    )
    for index, (name, phase, rows) in enumerate(stages):
        limit = phase.epochs if epochs is None else epochs[index]
        if not rows.texts or limit == 0:
            continue
        done[index] = run_phase(
            model,
            examples(rows),
            judge,
            phase.model_copy(update={"epochs": limit}),
            folder / name,
            title=f"{title} {name}",
            seed=config.seed + index,
            tensorboard=config.tensorboard,
        )
    return done[0], done[1]
