"""One suite for every adapter of the port `LabelRequests`."""

from __future__ import annotations

import threading
import time

import pytest
import redis

from catalogue.labelled.labels import EvidenceWord, Label, RowError
from jobs.job import Failure
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.ports.label_requests import LabelRequest, LabelRequests, LabelResponse
from jobs.redis.connection import redis_client
from jobs.redis.label_requests import RedisLabelRequests

QUESTION = LabelRequest(
    summaries=("A dragon — “fiery”", "half a pair \ud83d", ""),
    titles=("Æon", "", "\ud83d"),
    owner="anna",
    evidence=True,
)
LABEL = Label(
    genre="fantasy",
    confidence=0.1 + 0.2,
    second_genre="horror",
    second_confidence=1 / 3,
    genre_set=("fantasy", "horror"),
    needs_review=True,
    alternatives=(("horror", 1 / 3), ("crime", 0.0)),
    evidence=(EvidenceWord("dragon", 0.7), EvidenceWord("fiery", 0.1)),
)
ANSWER = LabelResponse(
    model_version=3, outcomes=(LABEL, RowError.MODEL_REJECTED, RowError.EMPTY_SUMMARY)
)
PATIENCE_S = 30.0


@pytest.fixture(params=["memory", "redis"])
def questions(request: pytest.FixtureRequest) -> LabelRequests:
    if request.param == "memory":
        return MemoryLabelRequests()
    return RedisLabelRequests(redis_client(request.getfixturevalue("redis_url")))


@pytest.mark.parametrize("answer", [ANSWER, Failure(code="MODEL_UNAVAILABLE", message="Later.")])
def test_question_and_answer_arrive_as_they_were(
    questions: LabelRequests, answer: LabelResponse | Failure
) -> None:
    request_id = questions.submit(QUESTION, ttl_s=PATIENCE_S)
    assert questions.claim(request_id) == QUESTION
    questions.respond(request_id, answer)
    assert questions.wait(request_id, timeout_s=PATIENCE_S) == answer


def test_whoever_waits_already_gets_the_answer_when_it_comes(questions: LabelRequests) -> None:
    request_id = questions.submit(QUESTION, ttl_s=PATIENCE_S)
    got: list[LabelResponse | Failure | None] = []
    waiting = threading.Thread(
        target=lambda: got.append(questions.wait(request_id, timeout_s=PATIENCE_S))
    )
    waiting.start()
    time.sleep(0.05)
    questions.respond(request_id, ANSWER)
    waiting.join(PATIENCE_S)
    assert got == [ANSWER]


def test_a_question_is_taken_once(questions: LabelRequests) -> None:
    request_id = questions.submit(QUESTION, ttl_s=PATIENCE_S)
    taken = [questions.claim(request_id) for _ in range(3)]
    assert taken == [QUESTION, None, None]


def test_answers_do_not_get_mixed_up(questions: LabelRequests) -> None:
    first, second = (questions.submit(QUESTION, ttl_s=PATIENCE_S) for _ in range(2))
    other = LabelResponse(model_version=4, outcomes=(RowError.EMPTY_SUMMARY,))
    questions.respond(second, other)
    questions.respond(first, ANSWER)
    assert questions.wait(first, timeout_s=PATIENCE_S) == ANSWER
    assert questions.wait(second, timeout_s=PATIENCE_S) == other


def test_a_question_that_nobody_answers_in_time_is_withdrawn(questions: LabelRequests) -> None:
    request_id = questions.submit(QUESTION, ttl_s=PATIENCE_S)
    assert questions.wait(request_id, timeout_s=0.05) is None
    assert questions.claim(request_id) is None


def test_a_question_is_not_kept_for_whoever_comes_too_late(questions: LabelRequests) -> None:
    request_id = questions.submit(QUESTION, ttl_s=0.02)
    time.sleep(0.1)
    assert questions.claim(request_id) is None


def test_a_question_that_never_was_is_none(questions: LabelRequests) -> None:
    assert questions.claim("never") is None
    assert questions.wait("never", timeout_s=0.02) is None


def test_redis_forgets_answers_that_nobody_fetches(redis_url: str) -> None:
    questions = RedisLabelRequests(redis_client(redis_url))
    questions.respond("q1", ANSWER)
    client = redis.Redis.from_url(redis_url)
    (key,) = client.keys("*")
    assert 0 < client.ttl(key) <= 60
