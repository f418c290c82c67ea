"""What every architecture of a fold shares: vocabulary, word vectors, believed extra rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.config import TrainingConfig
from training.data import ExtraTexts, Labelled
from training.embeddings import rows_of, train_vectors
from training.extra import trusted_rows
from training.tfidf import counts, inverse_document_frequency
from training.vectoriser import RESERVED, build_vocabulary, encode

_VOCABULARY = "vocabulary.json"
_VECTORS = "vectors.npy"
_IDF = "idf.npy"
_TRUSTED = "trusted.json"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Made from the rows that may be learned from and the extra texts, and from nothing else."""

    vocabulary: tuple[str, ...]
    vectors: npt.NDArray[np.float32]  # word2vec [len(vocabulary) + 2, dimensions]
    idf: npt.NDArray[np.float32]  # [len(vocabulary) + 2]
    trusted: Labelled  # extra rows whose label is believed


def prepare(
    learn: Labelled,
    extra: ExtraTexts,
    label_names: Sequence[str],
    config: TrainingConfig,
    folder: Path,
) -> Prepared:
    """Vocabulary, vectors and trusted rows; what is in ``folder`` already is read from there."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary(folder / _VOCABULARY, learn, extra, config)
    return Prepared(
        vocabulary=vocabulary,
        vectors=_vectors(folder / _VECTORS, vocabulary, learn, extra, config),
        idf=_idf(folder / _IDF, vocabulary, learn, extra),
        trusted=_trusted(folder / _TRUSTED, learn, extra, label_names, config),
    )


def _vocabulary(
    path: Path, learn: Labelled, extra: ExtraTexts, config: TrainingConfig
) -> tuple[str, ...]:
    if not path.exists():
        found = build_vocabulary(
            (*learn.texts, *extra.texts),
            size=config.text.vocabulary_size,
            min_count=config.text.min_count,
        )
        path.write_text(json.dumps(found), encoding="utf-8")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _vectors(
    path: Path,
    vocabulary: Sequence[str],
    learn: Labelled,
    extra: ExtraTexts,
    config: TrainingConfig,
) -> npt.NDArray[np.float32]:
    if not path.exists():
        texts = len(learn.texts) + len(extra.texts)
        print(f"{path.parent.name}: word vectors from {texts:,} texts", flush=True)
        found = train_vectors(
            (*learn.texts, *extra.texts),
            config.embedding,
            min_count=config.text.min_count,
            seed=config.seed,
        )
        np.save(path, rows_of(vocabulary, found, config.embedding.dimensions, seed=config.seed))
    return np.asarray(np.load(path), dtype=np.float32)


def _idf(
    path: Path, vocabulary: Sequence[str], learn: Labelled, extra: ExtraTexts
) -> npt.NDArray[np.float32]:
    if not path.exists():
        rows = encode((*learn.texts, *extra.texts), vocabulary, None)
        counted = counts(rows, len(vocabulary) + RESERVED)
        np.save(path, inverse_document_frequency(counted))
    return np.asarray(np.load(path), dtype=np.float32)


def _trusted(
    path: Path,
    learn: Labelled,
    extra: ExtraTexts,
    label_names: Sequence[str],
    config: TrainingConfig,
) -> Labelled:
    if not path.exists():
        rows = (
            trusted_rows(extra, learn, label_names, config.extra, seed=config.seed)
            if config.pretraining.epochs
            else []
        )
        path.write_text(json.dumps(rows), encoding="utf-8")
    position = {name: index for index, name in enumerate(label_names)}
    rows = json.loads(path.read_text(encoding="utf-8"))
    return Labelled(
        texts=tuple(extra.texts[row] for row in rows),
        labels=np.array([position[extra.labels[row]] for row in rows], dtype=np.int64),
    )
