"""Labels rows: cleans, predicts and applies the thresholds. Chunks and label requests share it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalogue.labelled.labels import OptionalColumns, Outcome, RowError
from catalogue.parsing.rows import Row
from catalogue.text.cleaning import clean_book
from worker.dependencies import Services
from worker.model.description import ModelDescription
from worker.model.registry import ServedModel
from worker.pipeline.label_rules import to_labels
from worker.pipeline.measurements import Measurements
from worker.pipeline.predict import explain
from worker.pipeline.prediction_cache import Book, predict_with_cache


def label_rows(
    services: Services,
    model: ServedModel,
    rows: Sequence[Row],
    *,
    owner: str | None,
    as_of: float,
    optional: OptionalColumns,
    review_threshold: float | None = None,
    checkpoint: Callable[[], None] = lambda: None,
    measurements: Measurements | None = None,
) -> list[Outcome]:
    """Return one outcome per row, in order; None for a blank line.

    Args:
        owner: owner of the rows; None on servers without API keys.
        as_of: cache entries of this owner from before this time (Unix seconds) are used.
        optional: optional columns; with evidence the model takes several times as long.
        review_threshold: a row whose confidence is below it needs review; None: the model's own.
        checkpoint: called before each call of the model server; may raise to stop the work.
        measurements: collects durations and cache lookups.

    Raises:
        ModelUnavailable: no response within the retry budget.
        ModelReplaced: another model was published under the number of this one.
        ModelMismatch: this worker cannot use the model.
        EvidenceMissing: the model has no evidence signature.
    """
    measurements = measurements or Measurements()
    if optional.evidence:
        services.models.require_evidence(model)
    outcomes: list[Outcome] = [None if row.blank else row.error for row in rows]
    books = books_of(rows, model.description)
    predictions = predict_with_cache(
        services,
        model,
        list(books.values()),
        owner=owner,
        as_of=as_of,
        checkpoint=checkpoint,
        measurements=measurements,
    )
    labelled: dict[int, NDArray[np.float32]] = {}
    for position, prediction in zip(books, predictions, strict=True):
        if isinstance(prediction, RowError):
            outcomes[position] = prediction
        else:
            labelled[position] = prediction
    if not labelled:
        return outcomes
    labels = to_labels(
        np.stack(list(labelled.values())),
        model.description,
        review_threshold=review_threshold,
        alternatives=optional.alternatives,
    )
    if optional.evidence:
        words = explain(
            services.models.client,
            model.version,
            [clean_book(*books[position]) for position in labelled],
            max_tokens=model.description.max_tokens,
            settings=services.settings,
            checkpoint=checkpoint,
            measurements=measurements,
        )
        services.models.confirm(model)
        labels = [replace(label, evidence=w) for label, w in zip(labels, words, strict=True)]
    for position, label in zip(labelled, labels, strict=True):
        outcomes[position] = label
    return outcomes


def books_of(rows: Sequence[Row], model: ModelDescription) -> dict[int, Book]:
    """Return the model's input for each row without an error, by its position in `rows`."""
    return {
        position: (row.title if model.reads_title else "", row.summary)
        for position, row in enumerate(rows)
        if not row.blank and row.error is None
    }
