"""TF-IDF of token rows as sparse matrices; ``models.tfidf_layers`` computes the same in the graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # scipy ships none

from training.features.vectoriser import RESERVED

Tokens = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating[Any]]


def counts(rows: Sequence[Tokens], tokens: int) -> csr_matrix:
    """How often each row holds each token, float32 [N, tokens]; padding and unknown do not count."""
    nothing = np.zeros(0, dtype=np.int64)
    found = [np.unique(row[row >= RESERVED], return_counts=True) for row in rows]
    starts = np.cumsum([0, *(len(numbers) for numbers, _ in found)])
    numbers = np.concatenate([nothing, *(numbers for numbers, _ in found)])
    values = np.concatenate([nothing, *(times for _, times in found)]).astype(np.float32)
    return csr_matrix((values, numbers, starts), shape=(len(rows), tokens))


def inverse_document_frequency(counted: csr_matrix) -> Floats:
    """float32 [tokens]: ln((1 + N) / (1 + rows with the token)) + 1, as scikit-learn smooths it."""
    rows_with = np.bincount(counted.indices, minlength=counted.shape[1])
    return np.asarray(np.log((1 + counted.shape[0]) / (1 + rows_with)) + 1, dtype=np.float32)


def tfidf(counted: csr_matrix, idf: Floats) -> csr_matrix:
    """(1 + ln count) x idf, each row of length 1; a row without known tokens stays zero."""
    result = counted.copy()
    result.data = (1 + np.log(result.data)) * idf[result.indices]
    lengths = np.sqrt(np.asarray(result.multiply(result).sum(axis=1)).ravel())
    result.data /= np.repeat(np.maximum(lengths, 1e-6), np.diff(result.indptr))
    return result.astype(np.float32)


def document_vectors(features: csr_matrix, vectors: Reals, mean: Reals) -> Reals:
    """Mean unit word vector of each TF-IDF row, centred, of length 1: [N, D]."""
    return unit_rows(unit_rows(features @ vectors) - mean)


def unit_rows(rows: Reals) -> Reals:
    """Rows [N, D] scaled to length 1; a zero row, and no row at all, stay as they are."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
