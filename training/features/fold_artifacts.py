"""Artifacts shared by all models of a fold: vocabulary, word vectors, idf, linear models, pseudo-labels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # scipy ships none

from training.config import TrainingConfig
from training.data.dataset import ExtraTexts, Labelled
from training.ensemble.linear_models import SCORE_SCALES, LinearModels, Rows, fit_linear_models
from training.ensemble.pseudo_labels import PseudoLabels, select_pseudo_labels
from training.features.char_ngrams import spelling_matrix
from training.features.embeddings import rows_of, train_vectors, unit_and_length
from training.features.stems import add_stem_vectors, extend_by_stem
from training.features.tfidf import counts, inverse_document_frequency, tfidf
from training.features.vectoriser import RESERVED, build_vocabulary, encode

_VOCABULARY = "vocabulary.json"
_VECTORS = "vectors.npy"
_IDF = "idf.npy"
_EXPERTS = "experts.npz"
_TAUGHT = "taught.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FoldArtifacts:
    """Built from the training rows of the fold and the extra texts only."""

    vocabulary: tuple[str, ...]
    unit: Floats  # unit word vectors [tokens, dimensions], rounded to float16
    length: Floats  # [tokens]
    idf: Floats  # [tokens]
    experts: LinearModels
    taught: PseudoLabels  # extra texts labelled by the linear models


def prepare(
    learn: Labelled,
    extra: ExtraTexts,
    label_names: Sequence[str],
    config: TrainingConfig,
    folder: Path,
) -> FoldArtifacts:
    """Build the artifacts in ``folder``, or read those that exist there."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary(folder / _VOCABULARY, learn, extra, config)
    unit, length = unit_and_length(_vectors(folder / _VECTORS, vocabulary, learn, extra, config))
    idf = _idf(folder / _IDF, vocabulary, learn, extra)
    if not (folder / _EXPERTS).exists() or not (folder / _TAUGHT).exists():
        print(f"{folder.name}: linear models from {len(learn.texts):,} rows", flush=True)
        rows, more = _rows(learn, extra, label_names, vocabulary, idf, config)
        experts = fit_linear_models(
            rows,
            more,
            unit,
            spelling_matrix(vocabulary, idf),
            len(label_names),
            config.experts,
        )
        experts.save(folder / _EXPERTS)
        sharpness = [SCORE_SCALES[name] / len(experts.members) for name in experts.members]
        opinion = np.tensordot(sharpness, experts.scores(more.features, unit), axes=1)
        share = np.maximum(np.bincount(learn.labels, minlength=len(label_names)), 0.5)
        select_pseudo_labels(opinion, share / share.sum(), config.teaching).save(folder / _TAUGHT)
    return FoldArtifacts(
        vocabulary=vocabulary,
        unit=unit,
        length=length,
        idf=idf,
        experts=LinearModels.load(folder / _EXPERTS),
        taught=PseudoLabels.load(folder / _TAUGHT),
    )


def features_of(texts: Sequence[str], prepared: FoldArtifacts) -> csr_matrix:
    """TF-IDF rows [N, tokens], the input of the linear models."""
    rows = encode(texts, prepared.vocabulary, None)
    return tfidf(counts(rows, len(prepared.idf)), prepared.idf)


def _rows(
    learn: Labelled,
    extra: ExtraTexts,
    label_names: Sequence[str],
    vocabulary: Sequence[str],
    idf: Floats,
    config: TrainingConfig,
) -> tuple[Rows, Rows]:
    position = {name: index for index, name in enumerate(label_names)}
    tags = np.array([position.get(name, -1) for name in extra.labels], dtype=np.int64)
    kept = np.arange(len(learn.texts))
    if len(kept) > config.experts.most_rows:
        random = np.random.default_rng(config.seed)
        kept = np.sort(random.choice(kept, config.experts.most_rows, replace=False))
    encoded = encode([learn.texts[row] for row in kept], vocabulary, None)
    others = encode(extra.texts, vocabulary, None)
    return (
        Rows(features=tfidf(counts(encoded, len(idf)), idf), labels=learn.labels[kept]),
        Rows(features=tfidf(counts(others, len(idf)), idf), labels=tags),
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
        if config.text.stem_fallback:
            found = extend_by_stem(
                found, (*learn.texts, *extra.texts), size=config.text.vocabulary_size
            )
        path.write_text(json.dumps(found), encoding="utf-8")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _vectors(
    path: Path,
    vocabulary: Sequence[str],
    learn: Labelled,
    extra: ExtraTexts,
    config: TrainingConfig,
) -> Floats:
    if not path.exists():
        texts = len(learn.texts) + len(extra.texts)
        print(f"{path.parent.name}: word vectors from {texts:,} texts", flush=True)
        found = train_vectors(
            (*learn.texts, *extra.texts),
            config.embedding,
            min_count=config.text.min_count,
            seed=config.seed,
        )
        if config.text.stem_fallback:
            found = add_stem_vectors(found, vocabulary)
        np.save(path, rows_of(vocabulary, found, config.embedding.dimensions, seed=config.seed))
    return np.asarray(np.load(path), dtype=np.float32)


def _idf(path: Path, vocabulary: Sequence[str], learn: Labelled, extra: ExtraTexts) -> Floats:
    if not path.exists():
        rows = encode((*learn.texts, *extra.texts), vocabulary, None)
        np.save(path, inverse_document_frequency(counts(rows, len(vocabulary) + RESERVED)))
    return np.asarray(np.load(path), dtype=np.float32)
