"""Answers one question from the API: a few summaries, at once, with the newest model."""

from __future__ import annotations

import logging
import time

from catalogue.labelled.labels import OptionalColumns
from catalogue.parsing.rows import Row
from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest
from worker.dependencies import Services
from worker.model.client import ModelMismatch, ModelUnavailable
from worker.pipeline.label_rows import label_rows

log = logging.getLogger(__name__)


def answer_label_request(services: Services, question_id: str) -> None:
    """Answer the question; nothing if somebody else has taken it or nobody waits for it any more."""
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
        log.warning("a question cannot be answered: %s", error)
    services.questions.answer(question_id, answer)


_MODEL_UNAVAILABLE = "The model does not answer at the moment; try again in a little while."


def _answer(services: Services, question: LabelRequest) -> Answer:
    model = services.models.newest_usable()
    rows = [
        Row.of_book(title, summary)
        for title, summary in zip(question.titles, question.summaries, strict=True)
    ]
    found = label_rows(
        services,
        model,
        rows,
        owner=question.owner,
        as_of=time.time(),
        extras=OptionalColumns(evidence=question.evidence),
    )
    # No row of its own is a blank line.
    return Answer(
        model_version=model.version,
        outcomes=tuple(outcome for outcome in found if outcome is not None),
    )
