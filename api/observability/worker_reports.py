"""Models as reported by live workers; the API itself does not connect to the model server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import cast

from api.http.problems import Problem
from jobs.ports.record.worker_registry import WorkerRegistry, WorkerReport

_REPORTED_WITHIN_S = 15.0


def live_reports(workers: WorkerRegistry) -> Sequence[WorkerReport]:
    """Return the reports of live workers."""
    return workers.active(within_s=_REPORTED_WITHIN_S)


def newest_model(reports: Sequence[WorkerReport]) -> Mapping[str, object] | None:
    """Return the description of the newest model that any worker reaches, or None."""
    models = [report.model for report in reports if report.model is not None]
    return max(models, key=lambda model: cast(int, model["version"]), default=None)


def check_evidence(workers: WorkerRegistry) -> None:
    """Raise a `Problem` if the newest model is known not to provide evidence."""
    model = newest_model(live_reports(workers))
    if model is not None and not model.get("evidence", True):
        raise Problem(
            HTTPStatus.CONFLICT,
            "EVIDENCE_UNAVAILABLE",
            f"Model version {model['version']} provides no evidence. Repeat the request without "
            "evidence, "
            "or ask the operator to publish a model that was trained with this release.",
        )
