"""Task `label_request`: label a few summaries for the API at once, with the newest model."""

from __future__ import annotations

import time

import structlog

from catalogue.labelled.labels import OptionalColumns
from catalogue.parsing.rows import Row
from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest
from worker.dependencies import Services
from worker.model.client import ModelMismatch, ModelUnavailable
from worker.pipeline.label_rows import label_rows

log = structlog.get_logger(__name__)


def answer_label_request(services: Services, question_id: str) -> None:
    """Answer the label request; does nothing if it was taken already or has expired."""
    question = services.questions.take(question_id)
    if question is None:
        return
    answer: Answer | Failure
    try:
        answer = _answer(services, question)
    except ModelMismatch as error:
        answer = Failure(code=error.failure_code, message=str(error))
    except ModelUnavailable as error:
        answer = Failure(code="MODEL_UNAVAILABLE", message=_MODEL_UNAVAILABLE)
        log.warning("label_request_failed", error=error)
    services.questions.answer(question_id, answer)


_MODEL_UNAVAILABLE = "The model does not answer at the moment; try again in a minute."


def _answer(services: Services, question: LabelRequest) -> Answer:
    model = services.models.newest_usable()
    rows = [
        Row.of_book(title, summary)
        for title, summary in zip(question.titles, question.summaries, strict=True)
    ]
    outcomes = label_rows(
        services,
        model,
        rows,
        owner=question.owner,
        as_of=time.time(),
        extras=OptionalColumns(evidence=question.evidence),
    )
    # `label_rows` gives None for blank lines only, and there are none here.
    return Answer(
        model_version=model.version,
        outcomes=tuple(outcome for outcome in outcomes if outcome is not None),
    )
