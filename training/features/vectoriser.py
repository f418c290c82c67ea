"""Converts cleaned text to token numbers, with the same layer in training and export."""

from collections import Counter
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import numpy.typing as npt

PADDING = 0
UNKNOWN = 1
RESERVED = 2


def build_vocabulary(texts: Iterable[str], *, size: int, min_count: int) -> tuple[str, ...]:
    """The most frequent tokens by falling frequency, ties by spelling; at most ``size`` - 2.

    Token i of the result is number i + 2: padding is 0, an unknown token 1.
    """
    counts = Counter(token for text in texts for token in text.split())
    ranked = sorted(
        ((count, token) for token, count in counts.items() if count >= min_count),
        key=lambda entry: (-entry[0], entry[1]),
    )
    return tuple(token for _, token in ranked[: size - RESERVED])


def build_vectoriser(vocabulary: Sequence[str]) -> keras.layers.TextVectorization:
    """The layer string [N] → int64 [N, T]: splits at whitespace, pads to the longest of the batch.

    It does not clean; texts are cleaned by ``catalogue.text.cleaning.clean``.
    """
    return keras.layers.TextVectorization(
        standardize=None,
        split="whitespace",
        output_mode="int",
        output_sequence_length=None,
        vocabulary=list(vocabulary),
    )


def encode(
    texts: Sequence[str], vocabulary: Sequence[str], limit: int | None
) -> list[npt.NDArray[np.int32]]:
    """Token numbers of each text, unpadded: the first ``limit``, or all if it is None."""
    vectoriser = build_vectoriser(vocabulary)
    rows: list[npt.NDArray[np.int32]] = []
    for start in range(0, len(texts), 256):
        block = texts[start : start + 256]
        numbers = keras.ops.convert_to_numpy(vectoriser(np.array(block, dtype=object)))[:, :limit]
        for row in numbers:
            used = int(np.count_nonzero(row != PADDING))
            rows.append(row[:used].astype(np.int32))
    return rows
