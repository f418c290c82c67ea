"""What becomes of rows: cleaned, asked of the model, decided. Chunks and single questions alike go through here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from catalogue import Label, Outcome, Row, RowError, clean_book
from worker.decision import decide
from worker.prediction import explain
from worker.remembering import predict_remembering
from worker.services import Services


def outcomes_of(
    services: Services,
    version: int,
    rows: Sequence[Row],
    *,
    as_of: float,
    evidence: bool,
    review_threshold: float | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> list[Outcome]:
    """One outcome per row, in order; None for a blank line.

    Args:
        version: of the model.
        as_of: what was labelled before this moment (Unix seconds) need not be asked again.
        evidence: whether labels say which words weighed most, which takes the model some times as long.
        review_threshold: a row whose confidence is below it needs review; None for the model's own.
        checkpoint: called before each request to the model; may raise to stop the work.

    Raises `ModelUnavailable`, `ModelMismatch`, `EvidenceMissing` (the model cannot say).
    """
    model = services.describe(version)
    if evidence:
        services.require_evidence(version)
    outcomes: list[Outcome] = [None if row.blank else row.problem for row in rows]
    texts: dict[int, str] = {}
    for position, row in enumerate(rows):
        if row.blank or row.problem is not None:
            continue
        if text := clean_book(row.title if model.reads_title else "", row.summary):
            texts[position] = text
        else:
            outcomes[position] = RowError.EMPTY_SUMMARY
    predictions = predict_remembering(
        services, version, model, list(texts.values()), as_of=as_of, checkpoint=checkpoint
    )
    labels: dict[int, Label] = {}
    for position, prediction in zip(texts, predictions, strict=True):
        if prediction is None:
            outcomes[position] = RowError.MODEL_REJECTED
        else:
            labels[position] = decide(prediction, model, review_threshold=review_threshold)
    if evidence:
        words = explain(
            services.model,
            version,
            [texts[position] for position in labels],
            max_tokens=model.max_tokens,
            settings=services.settings,
            checkpoint=checkpoint,
        )
        for position, weighed in zip(labels, words, strict=True):
            labels[position] = replace(labels[position], evidence=weighed)
    for position, label in labels.items():
        outcomes[position] = label
    return outcomes
