"""Alive, ready, and with which model."""

from __future__ import annotations

from pathlib import Path

from jobs.memory_store import MemoryJobStore
from jobs.storage import Storage
from tests.api.client import ApiClient
from tests.api.conftest import Front

MODEL = {"version": 4, "labels": ["crime", "poetry"]}


def test_a_process_that_answers_is_alive_whatever_else_is_missing(client: ApiClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_with_a_worker_that_reaches_a_model(front: Front) -> None:
    front.store.report_worker("one", {**MODEL, "version": 3})
    front.store.report_worker("two", MODEL)
    front.store.report_worker("three", None)
    answer = front.client().get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (200, True)
    assert answer.json["checks"]["workers"] == {"ok": True, "count": 3}
    assert answer.json["checks"]["model"] == {"ok": True, "version": 4}
    assert front.storage.names("") == []


def test_it_is_not_ready_without_a_worker_or_with_one_that_reaches_no_model(front: Front) -> None:
    answer = front.client().get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    assert answer.json["checks"]["workers"]["ok"] is False
    front.store.report_worker("one", None)
    answer = front.client().get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    assert answer.json["checks"]["workers"]["ok"] is True
    assert "detail" in answer.json["checks"]["model"]


def test_a_worker_that_has_been_silent_does_not_count(front: Front) -> None:
    now = 1_000_000.0
    front.store = MemoryJobStore(clock=lambda: now)
    front.store.report_worker("one", MODEL)
    now += 16
    assert front.client().get("/readyz").status_code == 503
    assert front.client().get("/v1/model").status_code == 404


def test_it_is_not_ready_when_the_storage_cannot_be_written(front: Front, tmp_path: Path) -> None:
    front.store.report_worker("one", MODEL)
    (tmp_path / "file").touch()
    front.storage = Storage(str(tmp_path / "file"))
    answer = front.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["storage"]["ok"] is False
    assert str(tmp_path) not in answer.text


def test_the_model_is_what_the_workers_reported_of_it(front: Front) -> None:
    front.store.report_worker("one", MODEL)
    assert front.client().get("/v1/model").json == MODEL
