"""`POST /v1/label` over the port to the workers: what is asked, what is answered, and every way to have no answer."""

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
def worker(harness: ApiHarness, answer: LabelResponse | Failure) -> Iterator[list[LabelRequest]]:
    """Takes the first question and gives it this answer; yields what it was asked."""
    taken: list[LabelRequest] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.005):
            while harness.task_queue.label_requests:
                request_id = harness.task_queue.label_requests.pop(0)
                question = harness.label_requests.claim(request_id)
                assert question is not None
                taken.append(question)
                harness.label_requests.respond(request_id, answer)

    harness.store.workers.report("one", {"version": 7, "labels": ["fantasy"], "evidence": True})
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield taken
    finally:
        stop.set()
        thread.join(WITHIN_S)


def test_every_summary_gets_its_label_under_the_names_of_the_columns(harness: ApiHarness) -> None:
    with worker(harness, ANSWER) as asked:
        answer = harness.client().post(
            "/v1/label",
            data=rb'{"summaries": ["A dragon", {"title": "Eragon", "summary": "\ud83d\udcda"}]}',
            content_type="application/json",
        )
    assert asked == [
        LabelRequest(summaries=("A dragon", "\N{BOOKS}"), titles=("", "Eragon"), owner=None)
    ]
    assert (answer.status_code, answer.json["model_version"]) == (200, 7)
    found, failed = answer.json["labels"]
    assert found == {
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
    assert set(LABEL_COLUMNS) < set(found)
    assert (failed["row_error"], failed["needs_review"]) == ("EMPTY_SUMMARY", True)
    assert failed["message"] == RowError.EMPTY_SUMMARY.message
    assert failed["predicted_genre"] is None


def test_evidence_comes_when_it_is_asked_for(harness: ApiHarness) -> None:
    with worker(harness, ANSWER) as asked:
        body = {"summaries": ["A dragon", ""], "evidence": True}
        answer = harness.client().post("/v1/label", json=body)
    assert asked[0].evidence
    assert answer.json["labels"][0]["evidence"] == [{"word": "dragon", "weight": 0.1235}]
    assert answer.json["labels"][1]["evidence"] == []


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
def test_what_is_no_question_is_refused_before_a_worker_hears_of_it(
    harness: ApiHarness, body: object, code: str
) -> None:
    with worker(harness, ANSWER) as asked:
        answer = harness.client().post("/v1/label", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert not asked


def test_a_body_beyond_a_mebibyte_is_refused(harness: ApiHarness) -> None:
    answer = harness.client().post("/v1/label", json={"summaries": ["x" * 50_000] * 30})
    assert (answer.status_code, answer.json["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("model", [None, "no report"])
def test_without_a_worker_that_reaches_a_model_nothing_is_waited_for(
    harness: ApiHarness, model: str | None
) -> None:
    if model is None:
        harness.store.workers.report("one", None)
    answer = harness.client().post("/v1/label", json={"summaries": ["x"]})
    assert (answer.status_code, answer.json["code"]) == (503, "MODEL_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    assert not harness.task_queue.label_requests


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        ("MODEL_UNAVAILABLE", 503, "MODEL_UNAVAILABLE"),
        ("MODEL_MISMATCH", 503, "MODEL_UNAVAILABLE"),
        ("EVIDENCE_UNAVAILABLE", 409, "EVIDENCE_UNAVAILABLE"),
    ],
)
def test_why_a_worker_has_no_answer_is_passed_on(
    harness: ApiHarness, failure: str, status: int, code: str
) -> None:
    with worker(harness, Failure(code=failure, message="Because of the model.")):
        answer = harness.client().post("/v1/label", json={"summaries": ["x"], "evidence": True})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["detail"] == "Because of the model."


def test_a_question_that_nobody_answers_ends_with_a_time_at_which_to_ask_again(
    harness: ApiHarness,
) -> None:
    harness.settings = ApiSettings(label_timeout_s=0.05)
    harness.store.workers.report("one", {"version": 7, "labels": []})
    answer = harness.client().post("/v1/label", json={"summaries": ["x"]})
    assert (answer.status_code, answer.json["code"]) == (504, "LABEL_TIMEOUT")
    assert int(answer.headers["Retry-After"]) > 0
    assert harness.label_requests.claim(harness.task_queue.label_requests[0]) is None


def test_questions_hold_a_quarter_of_the_threads_at_most(harness: ApiHarness) -> None:
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
        assert [answer.result().status_code for answer in waiting] == [200, 200]
    assert (refused.status_code, refused.json["code"]) == (503, "TOO_MANY_LONG_POLLS")
    assert refused.headers["Retry-After"] == "1"
