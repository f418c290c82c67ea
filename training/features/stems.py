"""Stem fallback: a word too rare for a vector gets the mean vector of the words with its stem.

Off by default (`text.stem_fallback`): such a word is then unknown to the model.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from training.features.vectoriser import RESERVED

Floats = npt.NDArray[np.float32]


def extend_by_stem(
    vocabulary: Sequence[str], texts: Iterable[str], *, size: int
) -> tuple[str, ...]:
    """The vocabulary, then other words of the texts that share a stem with one of its words.

    They are appended by falling frequency, ties by spelling, up to ``size`` - 2 words in all.
    """
    stem = _stemmer()
    known = set(vocabulary)
    stems = {stem(word) for word in vocabulary}
    counts = Counter(word for text in texts for word in text.split() if word not in known)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    related = (word for word in ranked if stem(word) in stems)
    return (*vocabulary, *related)[: size - RESERVED]


def add_stem_vectors(vectors: Mapping[str, Floats], words: Iterable[str]) -> dict[str, Floats]:
    """The vectors, and for each other word with a known stem the mean over that stem."""
    stem = _stemmer()
    by_stem: dict[str, list[Floats]] = defaultdict(list)
    for word, vector in vectors.items():
        by_stem[stem(word)].append(vector)
    missing = (word for word in words if word not in vectors)
    by_fallback = {
        word: np.asarray(np.mean(by_stem[stem(word)], axis=0), dtype=np.float32)
        for word in missing
        if stem(word) in by_stem
    }
    return {**vectors, **by_fallback}


def _stemmer() -> Callable[[str], str]:
    # Imported on use: `import nltk` loads all of NLTK, which takes seconds.
    from nltk.stem.snowball import SnowballStemmer

    return cast("Callable[[str], str]", SnowballStemmer("english").stem)
