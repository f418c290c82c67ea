"""One model, fitted: vocabulary, word vectors, pre-training on the extras, training on the data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data import ExtraTexts
from training.embeddings import embedding_matrix, train_vectors
from training.extra import trusted_rows
from training.models import build_model
from training.models.shape import EMBEDDING, Shape
from training.phase import Examples, run_phase
from training.vectoriser import build_vocabulary, encode

Ints = npt.NDArray[np.int64]

_VOCABULARY = "vocabulary.txt"
_VECTORS = "embedding.npy"
_WEIGHTS = "model.weights.h5"
_DONE = "done.json"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Cleaned texts and their label positions."""

    texts: tuple[str, ...]
    labels: Ints


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
    extra: ExtraTexts,
    label_names: Sequence[str],
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
        return load(folder, len(label_names), config)
    vocabulary = _vocabulary(folder, learn, extra, config)
    shape = _shape(len(vocabulary), len(label_names), config)
    model = build_model(shape)
    model.get_layer(EMBEDDING).set_weights([_vectors(folder, vocabulary, learn, extra, config)])

    def examples(rows: Labelled) -> Examples:
        return Examples(
            rows=encode(rows.texts, vocabulary, config.text.max_tokens), labels=rows.labels
        )

    judge = None if validation is None else examples(validation)
    done = [0, 0]
    texts, labels = trusted_rows(
        extra, learn.texts, learn.labels, label_names, config.extra, seed=config.seed
    )
    stages = (
        ("pre-training", config.pretraining, Labelled(texts=texts, labels=labels)),
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
    return Fitted(
        model=model,
        vocabulary=vocabulary,
        shape=shape,
        pretraining_epochs=done[0],
        training_epochs=done[1],
    )


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


def _vocabulary(
    folder: Path, learn: Labelled, extra: ExtraTexts, config: TrainingConfig
) -> tuple[str, ...]:
    path = folder / _VOCABULARY
    if not path.exists():
        found = build_vocabulary(
            (*learn.texts, *extra.texts),
            size=config.text.vocabulary_size,
            min_count=config.text.min_count,
        )
        path.write_text("\n".join(found), encoding="utf-8")
    return tuple(path.read_text(encoding="utf-8").split())


def _vectors(
    folder: Path,
    vocabulary: tuple[str, ...],
    learn: Labelled,
    extra: ExtraTexts,
    config: TrainingConfig,
) -> npt.NDArray[np.float32]:
    path = folder / _VECTORS
    if not path.exists():
        vectors = train_vectors(
            (*learn.texts, *extra.texts),
            config.embedding,
            min_count=config.text.min_count,
            seed=config.seed,
        )
        np.save(
            path,
            embedding_matrix(vocabulary, vectors, config.embedding.dimensions, seed=config.seed),
        )
    return np.asarray(np.load(path), dtype=np.float32)
