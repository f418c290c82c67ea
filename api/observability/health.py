"""Liveness, readiness, and the newest model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Literal, cast

import structlog
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.http.openapi_responses import document, problems
from api.http.problems import Problem
from api.jobs.schemas import as_json
from api.observability.worker_reports import live_reports, newest_model
from api.openapi import SERVICE, described_routes
from jobs.files.storage import Storage
from jobs.outage import refusal
from jobs.ports.job_store import JobStore
from jobs.ports.record.worker_registry import WorkerReport

log = structlog.get_logger(__name__)

_CHECK_TTL_S = 1.5


class AliveDocument(BaseModel):
    """The process responds; its dependencies are not checked."""

    status: Literal["ok"]


class CheckDocument(BaseModel):
    """The state of one dependency."""

    ok: bool
    detail: str = Field("", description="What is wrong; omitted if nothing is.")


class WorkersCheckDocument(CheckDocument):
    """The live workers."""

    count: int


class ModelCheckDocument(CheckDocument):
    """The newest model that a worker reaches."""

    version: int | None


class ChecksDocument(BaseModel):
    """All dependencies."""

    redis: CheckDocument
    storage: CheckDocument
    workers: WorkersCheckDocument
    model: ModelCheckDocument


class ReadyDocument(BaseModel):
    """Whether uploaded catalogues would be labelled now."""

    ready: bool
    checks: ChecksDocument


class ModelDocument(BaseModel):
    """The description of the newest model; models may add further fields."""

    model_config = ConfigDict(extra="allow")

    version: int
    labels: list[str] = Field(description="The genres.")
    evidence: bool = Field(False, description="Whether the model provides evidence words.")


def health_routes(
    store: JobStore, storage: Storage, *, clock: Callable[[], float] = time.monotonic
) -> APIBlueprint:
    """`/healthz`, `/readyz` and `/v1/model`.

    Args:
        clock: monotonic seconds.
    """
    routes = described_routes("health", SERVICE)
    # Unauthenticated, and the storage check writes a file: results are cached.
    check_redis = _CachedCheck(lambda: _check(store.jobs.ping, "Redis does not respond."), clock)
    check_storage = _CachedCheck(
        lambda: _check(storage.check, "The storage is not writable."), clock
    )

    @routes.get("/healthz", responses={200: AliveDocument})
    def healthz() -> dict[str, Any]:
        """Liveness probe"""
        return as_json(AliveDocument(status="ok"))

    @routes.get(
        "/readyz",
        responses={200: ReadyDocument, 503: document(ReadyDocument, "Something is missing.")},
    )
    def readyz() -> tuple[dict[str, Any], int]:
        """Readiness probe"""
        reports: list[WorkerReport] = []
        redis = check_redis()
        # A Redis that refuses writes can still be read.
        with suppress(Exception):
            reports += live_reports(store.workers)
        model = newest_model(reports)
        checks = ChecksDocument(
            redis=redis,
            storage=check_storage(),
            workers=WorkersCheckDocument(
                ok=bool(reports),
                count=len(reports),
                **_unless(bool(reports), "No live worker."),
            ),
            model=ModelCheckDocument(
                ok=model is not None,
                version=cast(int, model["version"]) if model else None,
                **_unless(model is not None, "No worker reaches a usable model."),
            ),
        )
        ready = all(check.ok for _, check in checks)
        return as_json(ReadyDocument(ready=ready, checks=checks)), (
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    @routes.get("/v1/model", responses={200: ModelDocument, **problems("MODEL_UNKNOWN")})
    def model() -> dict[str, Any]:
        """Describe the newest model"""
        description = newest_model(live_reports(store.workers))
        if description is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "MODEL_UNKNOWN",
                "No live worker reports a model; /readyz shows what is missing.",
            )
        return as_json(ModelDocument.model_validate(description))

    return routes


class _CachedCheck:
    """A check whose result is cached for `_CHECK_TTL_S`. One thread checks at a time."""

    def __init__(self, check: Callable[[], CheckDocument], clock: Callable[[], float]) -> None:
        self._check = check
        self._clock = clock
        self._lock = threading.Lock()
        self._result: CheckDocument | None = None
        self._expires_at = 0.0

    def __call__(self) -> CheckDocument:
        with self._lock:
            if self._result is None or self._clock() >= self._expires_at:
                self._result = self._check()
                self._expires_at = self._clock() + _CHECK_TTL_S
            return self._result


def _check(probe: Callable[[], None], remedy: str) -> CheckDocument:
    try:
        probe()
    except Exception as error:  # each adapter raises its own errors, and a check reports all
        remedy = refusal(error) or remedy
        log.warning("readiness_check_failed", detail=remedy, error=error)
        return CheckDocument(ok=False, detail=remedy)
    return CheckDocument(ok=True)


def _unless(ok: bool, remedy: str) -> dict[str, str]:
    return {} if ok else {"detail": remedy}
