"""The same upload with the same Idempotency-Key is one job; with anything else it is refused."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs.requests import request_name

CATALOGUE = b"title,summary\nA,some words\n"
KEY = {"Idempotency-Key": "a-key"}


def send(front: Any, content: bytes = CATALOGUE, **arguments: Any) -> TestResponse:
    answer = front.client().post("/v1/jobs", data=content, **{"headers": KEY, **arguments})
    assert isinstance(answer, TestResponse)
    return answer


def jobs(front: Any) -> list[str]:
    return [job.id for job in front.store.newest(limit=100)]


def test_an_upload_that_is_sent_again_leads_to_the_same_job(front: Any) -> None:
    first, again = send(front), send(front)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json is not None
    assert again.json is not None
    assert first.json["id"] == again.json["id"]
    assert first.headers["Location"] == again.headers["Location"]
    assert [a.headers["Idempotency-Replayed"] for a in (first, again)] == ["false", "true"]
    assert len(jobs(front)) == 1
    assert len(front.messages.sent) == 1
    assert len(front.storage.names("")) == 1


def test_the_job_is_answered_as_it_stands_now(front: Any) -> None:
    job_id = send(front).get_json()["id"]
    front.label(job_id)
    front.assemble(job_id)
    assert send(front).get_json()["state"] == "completed"


def test_how_the_same_upload_is_wrapped_does_not_matter(front: Any) -> None:
    raw = send(front, query_string={"filename": "a.csv", "error_threshold": "0.5"})
    form = {"file": (io.BytesIO(CATALOGUE), "a.csv"), "error_threshold": "0.5"}
    wrapped = front.client().post("/v1/jobs", data=form, headers=KEY)
    assert wrapped.json["id"] == raw.get_json()["id"]


@pytest.mark.parametrize(
    ("content", "query"),
    [
        (CATALOGUE + b"B,other words\n", {}),
        (CATALOGUE, {"filename": "b.csv"}),
        (CATALOGUE, {"summary_column": "title"}),
        (CATALOGUE, {"title_column": "summary"}),
        (CATALOGUE, {"error_threshold": "0.5"}),
    ],
)
def test_the_key_with_something_else_is_refused(
    front: Any, content: bytes, query: dict[str, str]
) -> None:
    made = send(front).get_json()["id"]
    answer = send(front, content, query_string=query)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert made in answer.get_json()["detail"]
    assert jobs(front) == [made]


def test_without_a_key_or_with_another_the_same_file_is_another_job(front: Any) -> None:
    answers = [send(front, headers={}), send(front), send(front, headers={"Idempotency-Key": "b"})]
    assert len({answer.get_json()["id"] for answer in answers}) == 3
    assert "Idempotency-Replayed" not in answers[0].headers


def test_a_refused_upload_leaves_its_key_free(front: Any) -> None:
    assert send(front, b"title,remarks\nA,B\n").get_json()["code"] == "NO_SUMMARY_COLUMN"
    assert (
        send(front, CATALOGUE[:-5], environ_overrides={"CONTENT_LENGTH": "99"}).status_code == 400
    )
    assert send(front).status_code == 202


def test_while_one_upload_is_under_way_a_second_one_with_its_key_waits(front: Any) -> None:
    name = request_name(None, "a-key")
    held = front.store.requests.hold(name, "another process", lease_s=60)
    answer = send(front)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert answer.headers["Retry-After"] == "1"
    assert front.is_empty()
    front.store.requests.release(held)
    assert send(front).status_code == 202


def test_of_many_at_once_one_makes_the_job_and_no_other_is_made(front: Any) -> None:
    app = front.app()
    answers: list[TestResponse] = []

    def run() -> None:
        answers.append(app.test_client().post("/v1/jobs", data=CATALOGUE, headers=KEY))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 409}
    made = {answer.get_json()["id"] for answer in answers if answer.status_code == 202}
    assert list(made) == jobs(front)


def test_an_upload_whose_key_was_lost_on_the_way_leaves_nothing(front: Any) -> None:
    class Slow(io.BytesIO):
        """Its key is taken over by another process before the file is complete."""

        def readinto(self, buffer: Any, /) -> int:
            name = request_name(None, "a-key")
            front.store.requests._entries.pop(name, None)
            assert front.store.requests.hold(name, "heir", lease_s=60) is not None
            return super().readinto(buffer)

    answer = front.client().post(
        "/v1/jobs", input_stream=Slow(CATALOGUE), content_length=len(CATALOGUE), headers=KEY
    )
    assert (answer.status_code, answer.json["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert front.is_empty()


def test_a_job_that_was_deleted_is_not_made_again_by_its_key(front: Any) -> None:
    job_id = send(front).get_json()["id"]
    front.label(job_id)
    front.assemble(job_id)
    front.client().delete(f"/v1/jobs/{job_id}")
    assert send(front).get_json()["code"] == "JOB_NOT_FOUND"


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_key_that_is_no_word_is_refused(client: FlaskClient, key: str) -> None:
    answer = client.post("/v1/jobs", data=CATALOGUE, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "INVALID_PARAMETER")
    assert "Idempotency-Key" in answer.get_json()["detail"]
