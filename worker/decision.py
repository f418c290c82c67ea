"""From probabilities to the label columns, by the rules that the model brings along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalogue.labels import Label
from worker.model_description import ModelDescription


def decide(
    probabilities: NDArray[np.float32],
    model: ModelDescription,
    *,
    review_threshold: float | None = None,
) -> Label:
    """The label of one row; `probabilities` is float32 [K] in the order of `model.labels`.

    A row whose confidence is below `review_threshold` needs review; None for the model's own.
    """
    review_below = model.review_threshold if review_threshold is None else review_threshold
    order = np.argsort(-probabilities, kind="stable")  # ties go to the earlier label, always
    first, second = int(order[0]), int(order[1])
    threshold = 1.0 - model.conformal_quantile
    confidence = float(probabilities[first])
    return Label(
        genre=model.labels[first],
        confidence=confidence,
        second_genre=model.labels[second],
        second_confidence=float(probabilities[second]),
        # The likeliest genre is always in: an empty set would help nobody.
        genre_set=tuple(
            model.labels[int(i)]
            for rank, i in enumerate(order)
            if rank == 0 or float(probabilities[i]) >= threshold
        ),
        needs_review=confidence < review_below,
    )
