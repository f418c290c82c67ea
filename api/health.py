"""Whether the service lives, whether it can work, and with which model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint

from api.problems import Problem
from jobs.storage import Storage
from jobs.store import JobStore, WorkerReport

log = logging.getLogger(__name__)

_REPORTED_WITHIN_S = 15.0

Check = dict[str, Any]


def health_routes(store: JobStore, storage: Storage) -> Blueprint:
    """`/healthz`, `/readyz` and `/v1/model`."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> tuple[dict[str, Any], int]:
        reports: list[WorkerReport] = []
        checks = {
            "redis": _check(store.ping, "Redis does not answer."),
            "storage": _check(storage.check, "The storage cannot be written."),
        }
        if checks["redis"]["ok"]:
            reports += store.workers(within_s=_REPORTED_WITHIN_S)
        model = _newest_model(reports)
        checks["workers"] = {"ok": bool(reports), "count": len(reports)}
        checks["model"] = {"ok": model is not None, "version": model and model["version"]}
        if not reports:
            checks["workers"]["detail"] = "No worker has reported lately."
        if model is None:
            checks["model"]["detail"] = "No worker reaches a model it can use."
        ready = all(check["ok"] for check in checks.values())
        return {"ready": ready, "checks": checks}, (
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    @routes.get("/v1/model")
    def model() -> dict[str, Any]:
        found = _newest_model(store.workers(within_s=_REPORTED_WITHIN_S))
        if found is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "MODEL_UNKNOWN",
                "No worker has reported a model lately; /readyz says what is missing.",
            )
        return dict(found)

    return routes


def _check(probe: Callable[[], None], cure: str) -> Check:
    try:
        probe()
    except Exception as error:  # every adapter has errors of its own, and a check reports them all
        log.warning("not ready: %s %s", cure, error)
        return {"ok": False, "detail": cure}
    return {"ok": True}


def _newest_model(reports: list[WorkerReport] | Any) -> Mapping[str, object] | None:
    models = [report.model for report in reports if report.model is not None]
    return max(models, key=lambda model: cast(int, model["version"]), default=None)
