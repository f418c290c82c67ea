"""Stratified, seeded folds in which near-duplicates stay together."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer

Ints = npt.NDArray[np.int64]

_MIN_COSINE = 0.6
"""Cosine of two TF-IDF vectors above which two texts are near-duplicates."""

_BLOCK_ROWS = 512


def near_duplicates(texts: Sequence[str]) -> Ints:
    """The group of each row, int64 [N]: the number of the group's first row.

    Otherwise near-duplicates would leak from training into evaluation.
    """
    group = np.arange(len(texts), dtype=np.int64)
    vectors = TfidfVectorizer(
        token_pattern=r"\S+", lowercase=False, sublinear_tf=True, min_df=2 if len(texts) > 50 else 1
    ).fit_transform(texts)
    for begin in range(0, len(texts), _BLOCK_ROWS):
        cosines = (vectors[begin : begin + _BLOCK_ROWS] @ vectors[: begin + _BLOCK_ROWS].T).tocoo()
        for row, other, cosine in zip(cosines.row, cosines.col, cosines.data, strict=True):
            if cosine > _MIN_COSINE and other < row + begin:
                low, high = sorted((_root(group, other), _root(group, row + begin)))
                group[high] = low
    return np.array([_root(group, row) for row in range(len(texts))], dtype=np.int64)


def _root(group: Ints, row: int) -> int:
    while group[row] != row:
        row = int(group[row])
    return int(row)


def assign_folds(texts: Sequence[str], labels: Ints, groups: Ints, folds: int, seed: int) -> Ints:
    """The fold of each row, int64 [N], 0 … folds - 1; it depends on the text, not on its position.

    Groups are assigned round-robin, label by label, in the order of a seeded hash of their first
    text, so that folds have similar sizes.
    """
    digests = [hashlib.sha256(f"{seed}\t{text}".encode()).digest() for text in texts]
    first_rows = sorted(set(groups.tolist()), key=lambda row: (int(labels[row]), digests[row]))
    fold_of_group = {row: position % folds for position, row in enumerate(first_rows)}
    return np.array([fold_of_group[int(row)] for row in groups], dtype=np.int64)


def usable_folds(labels: Ints, groups: Ints, folds: int) -> int:
    """``folds``, but no more than the rarest label has groups, and at least 2."""
    fewest = min(len(set(groups[labels == label].tolist())) for label in np.unique(labels))
    return max(2, min(folds, fewest))


def validation_mask(
    texts: Sequence[str], labels: Ints, fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Rows of the validation set, bool [N]: about ``fraction`` of the rows of each label.

    A label with fewer than 1 / ``fraction`` rows keeps them all for training.
    """
    if fraction == 0.0:
        return np.zeros(len(texts), dtype=np.bool_)
    every = max(2, round(1 / fraction))
    part = assign_folds(texts, labels, np.arange(len(texts)), every, seed)
    is_frequent = np.bincount(labels)[labels] >= every
    return np.asarray((part == 0) & is_frequent)
