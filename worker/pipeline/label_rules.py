"""Label columns from probabilities, by the thresholds of the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalogue.labelled.labels import Label
from worker.model.description import ModelDescription


def to_labels(
    probabilities: NDArray[np.float32],
    model: ModelDescription,
    *,
    review_threshold: float | None = None,
    alternatives: int = 0,
) -> list[Label]:
    """Return the label of each row.

    Args:
        probabilities: float32 [N, K]; columns in the order of `model.labels`.
        review_threshold: a row whose confidence is below it needs review; None: the model's own.
        alternatives: number of genres after the most probable one that each label lists.
    """
    review_below = model.review_threshold if review_threshold is None else review_threshold
    threshold = 1.0 - model.conformal_quantile
    # Ties go to the earlier label. All rows at once: row by row would take as long as parsing.
    orders = np.argsort(-probabilities, axis=1, kind="stable").tolist()
    return [
        _label(model.labels, row, order, threshold, review_below, alternatives)
        for row, order in zip(probabilities.tolist(), orders, strict=True)
    ]


def _label(
    labels: tuple[str, ...],
    probabilities: list[float],
    order: list[int],
    threshold: float,
    review_below: float,
    alternatives: int,
) -> Label:
    first, second = order[0], order[1]
    # The most probable genre is always included, so that the set is never empty.
    likely = [labels[first]]
    for index in order[1:]:
        if not probabilities[index] >= threshold:
            break
        likely.append(labels[index])
    return Label(
        genre=labels[first],
        confidence=probabilities[first],
        second_genre=labels[second],
        second_confidence=probabilities[second],
        genre_set=tuple(likely),
        needs_review=probabilities[first] < review_below,
        alternatives=tuple([(labels[i], probabilities[i]) for i in order[1 : 1 + alternatives]]),
    )
