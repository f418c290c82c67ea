"""Character n-gram features: words that share letters share evidence.

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


def spelling_matrix(vocabulary: Sequence[str], idf: Floats) -> csr_matrix:
    """Character 3- to 5-grams of each word, weighted by rarity; unit rows [tokens, groups]."""
    least = 3 if len(vocabulary) > 1000 else 1
    counted = CountVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), lowercase=False, min_df=least
    ).fit_transform(vocabulary)
    counted = counted.astype(np.float64).tocsr()
    present = counted.copy()
    present.data[:] = 1.0
    # A group occurs in about as many texts as its words together, a word in exp(1 - idf) of them.
    share = np.minimum(present.T @ np.exp(1.0 - idf[RESERVED:]), 1.0)
    weighed = counted @ diags(1.0 - np.log(share))
    nothing = csr_matrix((RESERVED, weighed.shape[1]))
    return normalize(vstack([nothing, weighed])).tocsr()


@dataclass(frozen=True, kw_only=True)
class CharNgrams:
    """TF-IDF rows as character n-gram features."""

    features: csr_matrix  # [N, groups], mean squared length 1
    scale: float
    spelling: csr_matrix

    def per_word(self, slopes: Floats) -> Floats:
        """Slopes [groups, K] on the features as slopes [tokens, K] on TF-IDF."""
        return np.asarray(self.spelling @ slopes / self.scale)


def spelled_features(features: csr_matrix, spelling: csr_matrix) -> CharNgrams:
    """Letter-group features of TF-IDF rows [N, tokens]."""
    projected = (features @ spelling).tocsr()
    scale = float(np.sqrt(projected.multiply(projected).sum() / max(1, projected.shape[0]))) or 1.0
    return CharNgrams(features=projected / scale, scale=scale, spelling=spelling)
