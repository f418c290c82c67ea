"""Character n-gram features, which similarly spelled words share.

They are linear in TF-IDF, so that a linear model on them collapses to one weight per word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags, vstack  # type: ignore[import-untyped]  # ships none
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from training.features.vectoriser import RESERVED

Floats = npt.NDArray[np.floating[Any]]


def char_ngram_matrix(vocabulary: Sequence[str], idf: Floats) -> csr_matrix:
    """Character 3- to 5-grams of each word, weighted by their idf; unit rows [tokens, n-grams]."""
    min_words = 3 if len(vocabulary) > 1000 else 1
    counted = CountVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), lowercase=False, min_df=min_words
    ).fit_transform(vocabulary)
    counted = counted.astype(np.float64).tocsr()
    present = counted.copy()
    present.data[:] = 1.0
    # An n-gram occurs in about as many texts as its words together, a word in exp(1 - idf) of them.
    text_share = np.minimum(present.T @ np.exp(1.0 - idf[RESERVED:]), 1.0)
    weighted = counted @ diags(1.0 - np.log(text_share))
    reserved = csr_matrix((RESERVED, weighted.shape[1]))
    return normalize(vstack([reserved, weighted])).tocsr()


@dataclass(frozen=True, kw_only=True)
class CharNgramFeatures:
    """TF-IDF rows as character n-gram features."""

    features: csr_matrix  # [N, n-grams], mean squared length 1
    scale: float
    matrix: csr_matrix  # [tokens, n-grams]

    def to_word_weights(self, coefficients: Floats) -> Floats:
        """Convert coefficients [n-grams, K] on these features to weights [tokens, K] on TF-IDF."""
        return np.asarray(self.matrix @ coefficients / self.scale)


def char_ngram_features(tfidf_rows: csr_matrix, matrix: csr_matrix) -> CharNgramFeatures:
    """Character n-gram features of TF-IDF rows [N, tokens]."""
    projected = (tfidf_rows @ matrix).tocsr()
    scale = float(np.sqrt(projected.multiply(projected).sum() / max(1, projected.shape[0]))) or 1.0
    return CharNgramFeatures(features=projected / scale, scale=scale, matrix=matrix)
