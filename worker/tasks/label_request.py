"""Task `label_request`: label a few summaries for the API at once, with the newest model."""

from __future__ import annotations

import time

import structlog

from catalogue.labelled.labels import OptionalColumns
from catalogue.parsing.rows import Row
from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelResponse
from worker.dependencies import Services
from worker.model.client import ModelMismatch, ModelUnavailable
from worker.pipeline.label_rows import label_rows

log = structlog.get_logger(__name__)


_MODEL_UNAVAILABLE = "The model is temporarily unavailable; try again in a minute."


def process_label_request(services: Services, request_id: str) -> None:
    """Respond to a label request; does nothing if it was claimed before or has expired."""
    request = services.label_requests.claim(request_id)
    if request is None:
        return
    response: LabelResponse | Failure
    try:
        response = _label(services, request)
    except ModelMismatch as error:
        response = Failure(code=error.failure_code, message=str(error))
    except ModelUnavailable as error:
        response = Failure(code="MODEL_UNAVAILABLE", message=_MODEL_UNAVAILABLE)
        log.warning("label_request_failed", error=error)
    services.label_requests.respond(request_id, response)


def _label(services: Services, request: LabelRequest) -> LabelResponse:
    model = services.models.newest_usable()
    rows = [
        Row.of_book(title, summary)
        for title, summary in zip(request.titles, request.summaries, strict=True)
    ]
    outcomes = label_rows(
        services,
        model,
        rows,
        owner=request.owner,
        as_of=time.time(),
        optional=OptionalColumns(evidence=request.evidence),
    )
    # `label_rows` gives None for blank lines only, and there are none here.
    return LabelResponse(
        model_version=model.version,
        outcomes=tuple(outcome for outcome in outcomes if outcome is not None),
    )
