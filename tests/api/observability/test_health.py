"""Liveness, readiness and the served model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import redis
from flask.testing import FlaskClient

from api.observability.health import health_routes
from api.openapi import described_app
from jobs.files.storage import Storage
from jobs.memory.job_store import memory_job_store
from jobs.memory.record.job_repository import MemoryJobRepository
from jobs.memory.record.state import MemoryState
from jobs.ports.job_store import JobStore
from tests.api.client import ApiClient
from tests.api.conftest import ApiHarness

MODEL = {"version": 4, "labels": ["crime", "poetry"]}


def test_liveness_needs_neither_worker_nor_model(client: ApiClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_ready_with_a_worker_that_reaches_a_model(harness: ApiHarness) -> None:
    harness.store.workers.report("one", {**MODEL, "version": 3})
    harness.store.workers.report("two", MODEL)
    harness.store.workers.report("three", None)
    response = harness.client().get("/readyz")
    assert (response.status_code, response.json["ready"]) == (200, True)
    assert response.json["checks"]["workers"] == {"ok": True, "count": 3}
    assert response.json["checks"]["model"] == {"ok": True, "version": 4}
    assert harness.storage.names("") == []


def test_not_ready_without_a_worker_that_reaches_a_model(
    harness: ApiHarness,
) -> None:
    response = harness.client().get("/readyz")
    assert (response.status_code, response.json["ready"]) == (503, False)
    assert response.json["checks"]["workers"]["ok"] is False
    harness.store.workers.report("one", None)
    response = harness.client().get("/readyz")
    assert (response.status_code, response.json["ready"]) == (503, False)
    assert response.json["checks"]["workers"]["ok"] is True
    assert "detail" in response.json["checks"]["model"]


def test_a_worker_without_recent_reports_does_not_count(harness: ApiHarness) -> None:
    now = 1_000_000.0
    harness.store = memory_job_store(MemoryState(clock=lambda: now))
    harness.store.workers.report("one", MODEL)
    now += 16
    assert harness.client().get("/readyz").status_code == 503
    assert harness.client().get("/v1/model").status_code == 404


def test_not_ready_when_the_storage_is_not_writable(harness: ApiHarness, tmp_path: Path) -> None:
    harness.store.workers.report("one", MODEL)
    (tmp_path / "file").touch()
    harness.storage = Storage(str(tmp_path / "file"))
    response = harness.client().get("/readyz")
    assert response.status_code == 503
    assert response.json["checks"]["storage"]["ok"] is False
    assert str(tmp_path) not in response.text


class CountingStorage(Storage):
    """Counts the write checks of `/readyz`."""

    checks = 0

    def check(self) -> None:
        self.checks += 1
        super().check()


class RefusingRepository(MemoryJobRepository):
    """Refuses writes like a Redis whose memory is full."""

    def ping(self) -> None:
        raise redis.OutOfMemoryError("command not allowed when used memory > 'maxmemory'.")


def readiness(store: JobStore, storage: Storage, clock: Callable[[], float]) -> FlaskClient:
    app = described_app("api")
    app.register_api(health_routes(store, storage, clock=clock))
    return app.test_client()


def test_the_storage_check_is_cached_between_requests(tmp_path: Path) -> None:
    now = [0.0]
    storage = CountingStorage(str(tmp_path / "storage"))
    client = readiness(memory_job_store(), storage, lambda: now[0])
    for _ in range(50):
        client.get("/readyz")
    assert storage.checks == 1
    now[0] += 2
    client.get("/readyz")
    assert storage.checks == 2


def test_a_full_redis_is_distinguished_from_an_unreachable_one(tmp_path: Path) -> None:
    state = MemoryState()
    store = replace(memory_job_store(state), jobs=RefusingRepository(state))
    store.workers.report("one", MODEL)
    response = readiness(store, Storage(str(tmp_path)), lambda: 0.0).get("/readyz")
    assert response.status_code == 503
    assert "memory is full" in response.get_json()["checks"]["redis"]["detail"]
    assert response.get_json()["checks"]["workers"] == {"ok": True, "count": 1}


def test_the_model_is_the_one_the_workers_report(harness: ApiHarness) -> None:
    harness.store.workers.report("one", MODEL)
    assert harness.client().get("/v1/model").json == MODEL
