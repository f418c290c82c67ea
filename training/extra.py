"""Which of the extra texts' labels are believed."""

from collections.abc import Sequence

import numpy as np

from training.baselines import probabilities, tfidf_logistic
from training.config import ExtraConfig
from training.data import ExtraTexts, Labelled


def trusted_rows(
    extra: ExtraTexts,
    learn: Labelled,
    label_names: Sequence[str],
    config: ExtraConfig,
    *,
    seed: int,
) -> list[int]:
    """The rows of ``extra`` whose label a TF-IDF model of ``learn`` agrees with.

    Readers' tags are wrong often enough to hurt; a row whose text speaks for its tag is not.
    At most ``config.per_class`` rows per label, drawn with the seed.
    """
    position = {name: index for index, name in enumerate(label_names)}
    named = [row for row, label in enumerate(extra.labels) if label in position]
    if not named or config.per_class == 0:
        return []
    own = np.array([position[extra.labels[row]] for row in named], dtype=np.int64)
    judge = tfidf_logistic(learn.texts, learn.labels)
    chances = probabilities(judge, [extra.texts[row] for row in named], len(label_names))
    agreed = (chances.argmax(axis=1) == own) & (
        chances[np.arange(len(own)), own] >= config.min_agreement
    )
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in range(len(label_names)):
        rows = np.flatnonzero(agreed & (own == label))
        chosen.extend(sorted(random.permutation(rows)[: config.per_class].tolist()))
    return [named[row] for row in chosen]
