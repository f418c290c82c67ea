"""The contract of `LabelRequests`."""

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

REQUEST = LabelRequest(
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
RESPONSE = LabelResponse(
    model_version=3, outcomes=(LABEL, RowError.MODEL_REJECTED, RowError.EMPTY_SUMMARY)
)
TIMEOUT_S = 30.0


@pytest.fixture(params=["memory", "redis"])
def label_requests(request: pytest.FixtureRequest) -> LabelRequests:
    if request.param == "memory":
        return MemoryLabelRequests()
    return RedisLabelRequests(redis_client(request.getfixturevalue("redis_url")))


@pytest.mark.parametrize(
    "response", [RESPONSE, Failure(code="MODEL_UNAVAILABLE", message="Later.")]
)
def test_request_and_response_are_transmitted_unchanged(
    label_requests: LabelRequests, response: LabelResponse | Failure
) -> None:
    request_id = label_requests.submit(REQUEST, ttl_s=TIMEOUT_S)
    assert label_requests.claim(request_id) == REQUEST
    label_requests.respond(request_id, response)
    assert label_requests.wait(request_id, timeout_s=TIMEOUT_S) == response


def test_a_waiting_client_gets_the_response_when_it_arrives(label_requests: LabelRequests) -> None:
    request_id = label_requests.submit(REQUEST, ttl_s=TIMEOUT_S)
    received: list[LabelResponse | Failure | None] = []
    waiting = threading.Thread(
        target=lambda: received.append(label_requests.wait(request_id, timeout_s=TIMEOUT_S))
    )
    waiting.start()
    time.sleep(0.05)
    label_requests.respond(request_id, RESPONSE)
    waiting.join(TIMEOUT_S)
    assert received == [RESPONSE]


def test_a_request_is_taken_once(label_requests: LabelRequests) -> None:
    request_id = label_requests.submit(REQUEST, ttl_s=TIMEOUT_S)
    taken = [label_requests.claim(request_id) for _ in range(3)]
    assert taken == [REQUEST, None, None]


def test_each_request_gets_its_own_response(label_requests: LabelRequests) -> None:
    first, second = (label_requests.submit(REQUEST, ttl_s=TIMEOUT_S) for _ in range(2))
    other = LabelResponse(model_version=4, outcomes=(RowError.EMPTY_SUMMARY,))
    label_requests.respond(second, other)
    label_requests.respond(first, RESPONSE)
    assert label_requests.wait(first, timeout_s=TIMEOUT_S) == RESPONSE
    assert label_requests.wait(second, timeout_s=TIMEOUT_S) == other


def test_a_request_is_withdrawn_after_the_timeout(label_requests: LabelRequests) -> None:
    request_id = label_requests.submit(REQUEST, ttl_s=TIMEOUT_S)
    assert label_requests.wait(request_id, timeout_s=0.05) is None
    assert label_requests.claim(request_id) is None


def test_a_request_expires(label_requests: LabelRequests) -> None:
    request_id = label_requests.submit(REQUEST, ttl_s=0.02)
    time.sleep(0.1)
    assert label_requests.claim(request_id) is None


def test_an_unknown_request_is_none(label_requests: LabelRequests) -> None:
    assert label_requests.claim("unknown") is None
    assert label_requests.wait("unknown", timeout_s=0.02) is None


def test_redis_deletes_responses_after_a_minute(redis_url: str) -> None:
    label_requests = RedisLabelRequests(redis_client(redis_url))
    label_requests.respond("q1", RESPONSE)
    client = redis.Redis.from_url(redis_url)
    (key,) = client.keys("*")
    assert 0 < client.ttl(key) <= 60
