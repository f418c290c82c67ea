"""`POST /v1/label` through the port to the workers: requests, labels and every kind of failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from api.settings import ApiSettings
from catalogue.labelled.labels import LABEL_COLUMNS, EvidenceWord, Label, RowError
from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelResponse
from tests.api.client import client_of
from tests.api.conftest import ApiHarness
from tests.waiting import WITHIN_S, eventually

LABEL = Label(
    genre="fantasy",
    confidence=0.87654,
    second_genre="horror",
    second_confidence=0.1,
    genre_set=("fantasy", "horror"),
    needs_review=True,
    evidence=(EvidenceWord("dragon", 0.123456),),
)
ANSWER = LabelResponse(model_version=7, outcomes=(LABEL, RowError.EMPTY_SUMMARY))


@contextmanager
def worker(harness: ApiHarness, reply: LabelResponse | Failure) -> Iterator[list[LabelRequest]]:
    """A worker that gives every label request this reply; yields the requests it received."""
    received: list[LabelRequest] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.005):
            while harness.task_queue.label_requests:
                request_id = harness.task_queue.label_requests.pop(0)
                request = harness.label_requests.claim(request_id)
                assert request is not None
                received.append(request)
                harness.label_requests.respond(request_id, reply)

    harness.store.workers.report("one", {"version": 7, "labels": ["fantasy"], "evidence": True})
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield received
    finally:
        stop.set()
        thread.join(WITHIN_S)


def test_every_summary_is_labelled_under_the_column_names(harness: ApiHarness) -> None:
    with worker(harness, ANSWER) as received:
        response = harness.client().post(
            "/v1/label",
            data=rb'{"summaries": ["A dragon", {"title": "Eragon", "summary": "\ud83d\udcda"}]}',
            content_type="application/json",
        )
    assert received == [
        LabelRequest(summaries=("A dragon", "\N{BOOKS}"), titles=("", "Eragon"), owner=None)
    ]
    assert (response.status_code, response.json["model_version"]) == (200, 7)
    labelled, failed = response.json["labels"]
    assert labelled == {
        "predicted_genre": "fantasy",
        "confidence": 0.8765,
        "second_genre": "horror",
        "second_confidence": 0.1,
        "genre_set": ["fantasy", "horror"],
        "needs_review": True,
        "row_error": None,
        "row_error_detail": None,
        "message": None,
        "evidence": None,
    }
    assert set(LABEL_COLUMNS) < set(labelled)
    assert (failed["row_error"], failed["needs_review"]) == ("EMPTY_SUMMARY", True)
    assert failed["message"] == RowError.EMPTY_SUMMARY.message
    assert failed["predicted_genre"] is None


def test_evidence_is_returned_on_request(harness: ApiHarness) -> None:
    with worker(harness, ANSWER) as received:
        body = {"summaries": ["A dragon", ""], "evidence": True}
        response = harness.client().post("/v1/label", json=body)
    assert received[0].evidence
    assert response.json["labels"][0]["evidence"] == [{"word": "dragon", "weight": 0.1235}]
    assert response.json["labels"][1]["evidence"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, "INVALID_BODY"),
        (["A dragon"], "INVALID_BODY"),
        ({}, "INVALID_PARAMETER"),
        ({"summaries": []}, "INVALID_PARAMETER"),
        ({"summaries": ["x"] * 51}, "INVALID_PARAMETER"),
        ({"summaries": "A dragon"}, "INVALID_PARAMETER"),
        ({"summaries": ["x", 7]}, "INVALID_PARAMETER"),
        ({"summaries": ["x"], "evidence": "yes"}, "INVALID_PARAMETER"),
        ({"summaries": [{"title": "X"}]}, "INVALID_PARAMETER"),
        ({"summaries": ["x"], "genres": 3}, "UNKNOWN_PARAMETER"),
    ],
)
def test_an_invalid_body_is_refused_before_it_reaches_a_worker(
    harness: ApiHarness, body: object, code: str
) -> None:
    with worker(harness, ANSWER) as received:
        response = harness.client().post("/v1/label", json=body)
    assert (response.status_code, response.json["code"]) == (400, code)
    assert not received


def test_a_body_above_one_mebibyte_is_refused(harness: ApiHarness) -> None:
    response = harness.client().post("/v1/label", json={"summaries": ["x" * 50_000] * 30})
    assert (response.status_code, response.json["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("model", [None, "no report"])
def test_without_a_model_the_request_fails_without_waiting(
    harness: ApiHarness, model: str | None
) -> None:
    if model is None:
        harness.store.workers.report("one", None)
    response = harness.client().post("/v1/label", json={"summaries": ["x"]})
    assert (response.status_code, response.json["code"]) == (503, "MODEL_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) > 0
    assert not harness.task_queue.label_requests


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ("MODEL_UNAVAILABLE", 503, "MODEL_UNAVAILABLE"),
        ("MODEL_MISMATCH", 503, "MODEL_UNAVAILABLE"),
        ("EVIDENCE_UNAVAILABLE", 409, "EVIDENCE_UNAVAILABLE"),
    ],
)
def test_a_failure_of_the_worker_is_passed_on(
    harness: ApiHarness, failure: str, status: int, code: str
) -> None:
    with worker(harness, Failure(code=failure, message="Because of the model.")):
        response = harness.client().post("/v1/label", json={"summaries": ["x"], "evidence": True})
    assert (response.status_code, response.json["code"]) == (status, code)
    assert response.json["detail"] == "Because of the model."


def test_an_unanswered_request_times_out_with_retry_after(
    harness: ApiHarness,
) -> None:
    harness.settings = ApiSettings(label_timeout_s=0.05)
    harness.store.workers.report("one", {"version": 7, "labels": []})
    response = harness.client().post("/v1/label", json={"summaries": ["x"]})
    assert (response.status_code, response.json["code"]) == (504, "LABEL_TIMEOUT")
    assert int(response.headers["Retry-After"]) > 0
    assert harness.label_requests.claim(harness.task_queue.label_requests[0]) is None


def test_label_requests_use_at_most_a_quarter_of_the_threads(harness: ApiHarness) -> None:
    harness.settings = ApiSettings(label_timeout_s=WITHIN_S, api_threads=8)
    app = harness.app()
    harness.store.workers.report("one", {"version": 7, "labels": []})

    def ask() -> Any:
        return client_of(app).post("/v1/label", json={"summaries": ["x"]})

    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask) for _ in range(2)]
        eventually(lambda: len(harness.task_queue.label_requests) == 2)
        refused = ask()
        for request_id in harness.task_queue.label_requests:
            harness.label_requests.respond(request_id, ANSWER)
        assert [response.result().status_code for response in waiting] == [200, 200]
    assert (refused.status_code, refused.json["code"]) == (503, "TOO_MANY_LONG_POLLS")
    assert refused.headers["Retry-After"] == "1"
