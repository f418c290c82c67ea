"""TF-IDF of token rows as sparse matrices; the same as in the graph (``neural.linear_graph``)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # scipy ships none

from training.features.vectoriser import RESERVED

Tokens = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Reals = npt.NDArray[np.floating[Any]]


def token_counts(rows: Sequence[Tokens], tokens: int) -> csr_matrix:
    """Occurrences of each token in each row, float32 [N, tokens], without padding and unknown."""
    empty = np.zeros(0, dtype=np.int64)
    counted = [np.unique(row[row >= RESERVED], return_counts=True) for row in rows]
    starts = np.cumsum([0, *(len(numbers) for numbers, _ in counted)])
    numbers = np.concatenate([empty, *(numbers for numbers, _ in counted)])
    values = np.concatenate([empty, *(times for _, times in counted)]).astype(np.float32)
    return csr_matrix((values, numbers, starts), shape=(len(rows), tokens))


def inverse_document_frequency(counts: csr_matrix) -> Floats:
    """float32 [tokens]: ln((1 + N) / (1 + rows with the token)) + 1, as scikit-learn smooths it."""
    rows_with = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + rows_with)) + 1, dtype=np.float32)


def tfidf(counts: csr_matrix, idf: Floats) -> csr_matrix:
    """(1 + ln count) x idf, each row scaled to length 1; a row without known tokens stays zero."""
    result = counts.copy()
    result.data = (1 + np.log(result.data)) * idf[result.indices]
    lengths = np.sqrt(np.asarray(result.multiply(result).sum(axis=1)).ravel())
    result.data /= np.repeat(np.maximum(lengths, 1e-6), np.diff(result.indptr))
    return result.astype(np.float32)


def document_vectors(features: csr_matrix, vectors: Reals, mean: Reals) -> Reals:
    """Mean unit word vector of each TF-IDF row, centred, of length 1: [N, D]."""
    return unit_rows(unit_rows(features @ vectors) - mean)


def unit_rows(rows: Reals) -> Reals:
    """Rows [N, D] scaled to length 1; a zero row stays zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0))
