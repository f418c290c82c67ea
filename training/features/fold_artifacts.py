"""Artifacts that all models of a fold share.

Vocabulary, word vectors, idf, linear models and pseudo-labels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # scipy ships none

from training import console
from training.config import TrainingConfig
from training.data.dataset import NO_EXTRA_TEXTS, ExtraTexts, LabelledTexts
from training.ensemble.linear_models import (
    SCORE_SCALES,
    LabelledFeatures,
    LinearModels,
    fit_linear_models,
)
from training.ensemble.pseudo_labels import PseudoLabels, select_pseudo_labels
from training.features.char_ngrams import char_ngram_matrix
from training.features.embeddings import (
    embedding_matrix,
    train_word2vec,
    unit_vectors_and_lengths,
)
from training.features.stems import add_stem_vectors, extend_by_stem
from training.features.tfidf import inverse_document_frequency, tfidf, token_counts
from training.features.vectoriser import RESERVED, build_vocabulary, encode

_VOCABULARY = "vocabulary.json"
_VECTORS = "vectors.npy"
_IDF = "idf.npy"
_LINEAR_MODELS = "linear_models.npz"
_PSEUDO_LABELS = "pseudo_labels.npz"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FoldArtifacts:
    """Built from the training rows of the fold and the extra texts only."""

    vocabulary: tuple[str, ...]
    unit_vectors: Floats  # word vectors of length 1 [tokens, dimensions], rounded to float16
    vector_lengths: Floats  # [tokens]
    idf: Floats  # [tokens]
    linear_models: LinearModels
    pseudo_labels: PseudoLabels  # of extra texts

    def features(self, texts: Sequence[str]) -> csr_matrix:
        """TF-IDF rows [N, tokens] of cleaned texts, the input of the linear models."""
        rows = encode(texts, self.vocabulary, None)
        return tfidf(token_counts(rows, len(self.idf)), self.idf)


def build_artifacts(
    data: LabelledTexts,
    extra: ExtraTexts,
    label_names: Sequence[str],
    config: TrainingConfig,
    folder: Path,
) -> FoldArtifacts:
    """Build the artifacts in ``folder``; those that exist there are loaded instead."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary(folder / _VOCABULARY, data, extra, config)
    vectors = _vectors(folder / _VECTORS, vocabulary, data, extra, config)
    unit_vectors, vector_lengths = unit_vectors_and_lengths(vectors)
    idf = _idf(folder / _IDF, vocabulary, data, extra)
    if not (folder / _LINEAR_MODELS).exists() or not (folder / _PSEUDO_LABELS).exists():
        console.line(f"  linear models: fitting on {len(data.texts):,} rows")
        data_rows, extra_rows = _labelled_features(
            data, extra, label_names, vocabulary, idf, config
        )
        models = fit_linear_models(
            data_rows,
            extra_rows,
            unit_vectors,
            char_ngram_matrix(vocabulary, idf),
            len(label_names),
            config.linear_models,
        )
        models.save(folder / _LINEAR_MODELS)
        scales = [SCORE_SCALES[name] / len(models.members) for name in models.members]
        logits = np.tensordot(scales, models.scores(extra_rows.features, unit_vectors), axes=1)
        counts = np.maximum(np.bincount(data.labels, minlength=len(label_names)), 0.5)
        prior = counts / counts.sum()
        select_pseudo_labels(logits, prior, config.pseudo_labels).save(folder / _PSEUDO_LABELS)
    return FoldArtifacts(
        vocabulary=vocabulary,
        unit_vectors=unit_vectors,
        vector_lengths=vector_lengths,
        idf=idf,
        linear_models=LinearModels.load(folder / _LINEAR_MODELS),
        pseudo_labels=PseudoLabels.load(folder / _PSEUDO_LABELS),
    )


def load_artifacts(
    label_names: Sequence[str], config: TrainingConfig, folder: Path
) -> FoldArtifacts:
    """Load the artifacts that ``build_artifacts`` left in ``folder``."""
    # All of them exist, so that nothing is computed from the empty rows.
    return build_artifacts(LabelledTexts.empty(), NO_EXTRA_TEXTS, label_names, config, folder)


def _labelled_features(
    data: LabelledTexts,
    extra: ExtraTexts,
    label_names: Sequence[str],
    vocabulary: Sequence[str],
    idf: Floats,
    config: TrainingConfig,
) -> tuple[LabelledFeatures, LabelledFeatures]:
    """Features of the data, at most ``linear_models.max_rows`` of it, and of the extra texts."""
    position = {name: index for index, name in enumerate(label_names)}
    tags = np.array([position.get(name, -1) for name in extra.labels], dtype=np.int64)
    selected = np.arange(len(data.texts))
    if len(selected) > config.linear_models.max_rows:
        random = np.random.default_rng(config.seed)
        selected = np.sort(random.choice(selected, config.linear_models.max_rows, replace=False))
    data_tokens = encode([data.texts[row] for row in selected], vocabulary, None)
    extra_tokens = encode(extra.texts, vocabulary, None)
    return (
        LabelledFeatures(
            features=tfidf(token_counts(data_tokens, len(idf)), idf), labels=data.labels[selected]
        ),
        LabelledFeatures(features=tfidf(token_counts(extra_tokens, len(idf)), idf), labels=tags),
    )


def _vocabulary(
    path: Path, data: LabelledTexts, extra: ExtraTexts, config: TrainingConfig
) -> tuple[str, ...]:
    if not path.exists():
        vocabulary = build_vocabulary(
            (*data.texts, *extra.texts),
            size=config.text.vocabulary_size,
            min_count=config.text.min_count,
        )
        if config.text.stem_fallback:
            vocabulary = extend_by_stem(
                vocabulary, (*data.texts, *extra.texts), size=config.text.vocabulary_size
            )
        path.write_text(json.dumps(vocabulary), encoding="utf-8")
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _vectors(
    path: Path,
    vocabulary: Sequence[str],
    data: LabelledTexts,
    extra: ExtraTexts,
    config: TrainingConfig,
) -> Floats:
    if not path.exists():
        texts = (*data.texts, *extra.texts)
        console.line(f"  word vectors: training word2vec on {len(texts):,} texts")
        vectors = train_word2vec(
            texts, config.embedding, min_count=config.text.min_count, seed=config.seed
        )
        if config.text.stem_fallback:
            vectors = add_stem_vectors(vectors, vocabulary)
        dimensions = config.embedding.dimensions
        np.save(path, embedding_matrix(vocabulary, vectors, dimensions, seed=config.seed))
    return np.asarray(np.load(path), dtype=np.float32)


def _idf(path: Path, vocabulary: Sequence[str], data: LabelledTexts, extra: ExtraTexts) -> Floats:
    if not path.exists():
        rows = encode((*data.texts, *extra.texts), vocabulary, None)
        np.save(path, inverse_document_frequency(token_counts(rows, len(vocabulary) + RESERVED)))
    return np.asarray(np.load(path), dtype=np.float32)
