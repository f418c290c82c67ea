"""Which of the extra texts' labels are believed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.baselines import probabilities, tfidf_logistic
from training.config import ExtraConfig
from training.data import ExtraTexts

Ints = npt.NDArray[np.int64]


def trusted_rows(
    extra: ExtraTexts,
    texts: Sequence[str],
    labels: Ints,
    label_names: Sequence[str],
    config: ExtraConfig,
    *,
    seed: int,
) -> tuple[tuple[str, ...], Ints]:
    """The extra rows that a TF-IDF model of ``texts`` and ``labels`` agrees with.

    Readers' tags are wrong often enough to hurt; a row whose text speaks for its tag is not.
    At most ``config.per_class`` rows per label, drawn with the seed.

    Returns: texts and their label positions in ``label_names``.
    """
    position = {name: index for index, name in enumerate(label_names)}
    named = [i for i, label in enumerate(extra.labels) if label in position]
    if not named or config.per_class == 0:
        return (), np.zeros(0, dtype=np.int64)
    own = np.array([position[extra.labels[i]] for i in named], dtype=np.int64)
    judge = tfidf_logistic(texts, labels)
    chances = probabilities(judge, [extra.texts[i] for i in named], len(label_names))
    agreed = (chances.argmax(axis=1) == own) & (
        chances[np.arange(len(own)), own] >= config.min_agreement
    )
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in range(len(label_names)):
        rows = np.flatnonzero(agreed & (own == label))
        chosen.extend(sorted(random.permutation(rows)[: config.per_class].tolist()))
    return tuple(extra.texts[named[row]] for row in chosen), own[chosen]
