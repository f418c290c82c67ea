"""What the workers have lately said of the model that they reach; the API itself never asks a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import cast

from api.http.problems import Problem
from jobs.ports.worker_registry import WorkerRegistry, WorkerReport

_REPORTED_WITHIN_S = 15.0


def lately(workers: WorkerRegistry) -> Sequence[WorkerReport]:
    """The reports that still count."""
    return workers.active(within_s=_REPORTED_WITHIN_S)


def newest_model(reports: Sequence[WorkerReport]) -> Mapping[str, object] | None:
    """What the newest model that one of them reaches says of itself; None if none reaches any."""
    models = [report.model for report in reports if report.model is not None]
    return max(models, key=lambda model: cast(int, model["version"]), default=None)


def check_evidence(workers: WorkerRegistry) -> None:
    """Raise a `Problem` if the newest model is known not to say which words weighed most."""
    model = newest_model(lately(workers))
    if model is not None and not model.get("evidence", True):
        raise Problem(
            HTTPStatus.CONFLICT,
            "EVIDENCE_UNAVAILABLE",
            f"Model version {model['version']} cannot say which words weighed most. Ask without evidence, "
            "or have a model published that was trained with this release.",
        )
