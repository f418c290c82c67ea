"""Whether the service lives, whether it can work, and with which model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Literal, cast

from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.http.openapi_responses import document, problems
from api.http.problems import Problem
from api.jobs.schemas import as_json
from api.observability.worker_reports import lately, newest_model
from api.openapi import SERVICE, described_routes
from jobs.files.storage import Storage
from jobs.ports.job_store import JobStore
from jobs.ports.worker_registry import WorkerReport
from jobs.redis.outage import refusal

log = logging.getLogger(__name__)

_RECENT_S = 1.5


class AliveDocument(BaseModel):
    """The process answers; nothing is said of what it needs."""

    status: Literal["ok"]


class CheckDocument(BaseModel):
    """One thing that is needed."""

    ok: bool
    detail: str = Field("", description="What is missing; left out when nothing is.")


class WorkersCheckDocument(CheckDocument):
    """The workers that have reported lately."""

    count: int


class ModelCheckDocument(CheckDocument):
    """The newest model that a worker reaches."""

    version: int | None


class ChecksDocument(BaseModel):
    """All that is needed."""

    redis: CheckDocument
    storage: CheckDocument
    workers: WorkersCheckDocument
    model: ModelCheckDocument


class ReadyDocument(BaseModel):
    """Whether catalogues would be labelled now."""

    ready: bool
    checks: ChecksDocument


class ModelDocument(BaseModel):
    """What the newest model says of itself; models may say more than is listed here."""

    model_config = ConfigDict(extra="allow")

    version: int
    labels: list[str] = Field(description="The genres.")
    evidence: bool = Field(False, description="Whether it can say which words weighed most.")


def health_routes(
    store: JobStore, storage: Storage, *, clock: Callable[[], float] = time.monotonic
) -> APIBlueprint:
    """`/healthz`, `/readyz` and `/v1/model`.

    Args:
        clock: seconds that never go back.
    """
    routes = described_routes("health", SERVICE)
    # Anybody may ask, as often as they like, and a check of the storage writes a file.
    check_redis = _Recent(lambda: _check(store.jobs.ping, "Redis does not answer."), clock)
    check_storage = _Recent(lambda: _check(storage.check, "The storage cannot be written."), clock)

    @routes.get("/healthz", responses={200: AliveDocument})
    def healthz() -> dict[str, Any]:
        """Whether the process lives"""
        return as_json(AliveDocument(status="ok"))

    @routes.get(
        "/readyz",
        responses={200: ReadyDocument, 503: document(ReadyDocument, "Something is missing.")},
    )
    def readyz() -> tuple[dict[str, Any], int]:
        """Whether catalogues would be labelled now"""
        reports: list[WorkerReport] = []
        redis = check_redis()
        # A Redis that refuses writes can be read.
        with suppress(Exception):
            reports += lately(store.workers)
        model = newest_model(reports)
        checks = ChecksDocument(
            redis=redis,
            storage=check_storage(),
            workers=WorkersCheckDocument(
                ok=bool(reports),
                count=len(reports),
                **_unless(bool(reports), "No worker has reported lately."),
            ),
            model=ModelCheckDocument(
                ok=model is not None,
                version=cast(int, model["version"]) if model else None,
                **_unless(model is not None, "No worker reaches a model it can use."),
            ),
        )
        ready = all(check.ok for _, check in checks)
        return as_json(ReadyDocument(ready=ready, checks=checks)), (
            HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        )

    @routes.get("/v1/model", responses={200: ModelDocument, **problems("MODEL_UNKNOWN")})
    def model() -> dict[str, Any]:
        """What the newest model says of itself"""
        found = newest_model(lately(store.workers))
        if found is None:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                "MODEL_UNKNOWN",
                "No worker has reported a model lately; /readyz says what is missing.",
            )
        return as_json(ModelDocument.model_validate(found))

    return routes


class _Recent:
    """The answer to a check, at most `_RECENT_S` old. One thread checks at a time."""

    def __init__(self, check: Callable[[], CheckDocument], clock: Callable[[], float]) -> None:
        self._check = check
        self._clock = clock
        self._lock = threading.Lock()
        self._answer: CheckDocument | None = None
        self._good_until = 0.0

    def __call__(self) -> CheckDocument:
        with self._lock:
            if self._answer is None or self._clock() >= self._good_until:
                self._answer = self._check()
                self._good_until = self._clock() + _RECENT_S
            return self._answer


def _check(probe: Callable[[], None], cure: str) -> CheckDocument:
    try:
        probe()
    except Exception as error:  # every adapter has errors of its own, and a check reports them all
        cure = refusal(error) or cure
        log.warning("not ready: %s %s", cure, error)
        return CheckDocument(ok=False, detail=cure)
    return CheckDocument(ok=True)


def _unless(ok: bool, cure: str) -> dict[str, str]:
    return {} if ok else {"detail": cure}
