"""One model, fitted: pre-training on the believed extra rows, then training on the data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data import Labelled
from training.models import build_model
from training.models.shape import EMBEDDING, Shape
from training.phase import Examples, run_phase
from training.prepare import Prepared
from training.vectoriser import encode

_VOCABULARY = "vocabulary.txt"
_WEIGHTS = "model.weights.h5"
_DONE = "done.json"


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained model and the vocabulary it reads with."""

    model: keras.Model  # int32 tokens [N, T] → float32 logits [N, K]
    vocabulary: tuple[str, ...]
    shape: Shape
    pretraining_epochs: int  # epochs that were best
    training_epochs: int

    def encode(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """Token rows that the model reads."""
        return encode(texts, self.vocabulary, self.shape.max_tokens)


def fit(
    learn: Labelled,
    validation: Labelled | None,
    prepared: Prepared,
    classes: int,
    config: TrainingConfig,
    folder: Path,
    *,
    title: str,
    epochs: tuple[int, int] | None = None,
) -> Fitted:
    """Train one model in ``folder``; what an earlier, interrupted call left there is not repeated.

    With ``validation`` the best epoch on it is kept. Without, ``epochs`` says how many passes to
    make in pre-training and in training, and the last epoch is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / _DONE).exists():
        return load(folder, classes, config)
    (folder / _VOCABULARY).write_text("\n".join(prepared.vocabulary), encoding="utf-8")
    keras.utils.set_random_seed(config.seed)
    model = build_model(_shape(len(prepared.vocabulary), classes, config))
    model.get_layer(EMBEDDING).set_weights([prepared.matrix])

    def examples(rows: Labelled) -> Examples:
        return Examples(
            rows=encode(rows.texts, prepared.vocabulary, config.text.max_tokens),
            labels=rows.labels,
        )

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
    model.save_weights(folder / _WEIGHTS)
    (folder / _DONE).write_text(json.dumps(done), encoding="utf-8")
    return load(folder, classes, config)


def load(folder: Path, classes: int, config: TrainingConfig) -> Fitted:
    """The model that ``fit`` finished in ``folder``."""
    vocabulary = tuple((folder / _VOCABULARY).read_text(encoding="utf-8").split())
    shape = _shape(len(vocabulary), classes, config)
    model = build_model(shape)
    model.load_weights(folder / _WEIGHTS)
    done = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    return Fitted(
        model=model,
        vocabulary=vocabulary,
        shape=shape,
        pretraining_epochs=int(done[0]),
        training_epochs=int(done[1]),
    )


def _shape(tokens: int, classes: int, config: TrainingConfig) -> Shape:
    return Shape(
        tokens=tokens + 2,
        dimensions=config.embedding.dimensions,
        classes=classes,
        max_tokens=config.text.max_tokens,
        settings=config.model,
        seed=config.seed,
    )
