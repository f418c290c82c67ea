"""A look that was answered a moment ago is answered again without work, and never with what has changed since."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from jobs.keys import KeyLimits, mint
from jobs.redis_key_store import RedisKeyStore

_LOOKS = 60
# A look may be a twentieth of the job's age old: of a job of three seconds, 150 milliseconds.
_OLD_ENOUGH_S = 3.0


def old_job(http: httpx.Client) -> str:
    answer = http.post("/v1/jobs?filename=a.csv", content=b"title,summary\nA,some words\n")
    time.sleep(_OLD_ENOUGH_S)
    return str(answer.raise_for_status().json()["links"]["self"])


def lines_about(api: Any, path: str) -> int:
    return sum(f" {path} " in line for line in api.log.read_text().splitlines())


def looks_counted(http: httpx.Client) -> float:
    name = 'spinelabel_http_requests_total{method="GET",route="/v1/jobs/<job_id>",status="200"} '
    lines = http.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_looks_are_repeated_and_counted(api: Any) -> None:
    with httpx.Client(base_url=api.url) as http:
        path = old_job(http)
        counted = looks_counted(http)
        answers = [http.get(path) for _ in range(_LOOKS)]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["state"] for answer in answers} == {"queued"}
        assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}
        assert looks_counted(http) - counted == _LOOKS
    # One line for each answer that was made, none for those that were sent again.
    assert 0 < lines_about(api, path) < _LOOKS


def test_what_was_done_is_in_the_next_look(api: Any) -> None:
    for _ in range(3):
        with httpx.Client(base_url=api.url) as http:
            path = old_job(http)
            assert {http.get(path).json()["state"] for _ in range(10)} == {"queued"}
            http.post(f"{path}/cancel").raise_for_status()
            assert http.get(path).json()["state"] != "queued"


def test_another_question_has_its_own_answer(api: Any) -> None:
    with httpx.Client(base_url=api.url) as http:
        path = old_job(http)
        etag = http.get(path).headers["ETag"]
        for _ in range(10):
            assert http.get(path).status_code == 200
            assert http.get(path, headers={"If-None-Match": etag}).status_code == 304
            head = http.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert http.get(path, headers={"Host": "elsewhere.example"}).status_code >= 400
            assert http.get(path, headers={"Via": "1.1 a-proxy"}).status_code == 421
            assert http.get(f"{path}x").status_code == 404


def test_a_connection_can_be_closed_with_its_look(api: Any) -> None:
    with httpx.Client(base_url=api.url) as http:
        path = old_job(http)
        http.get(path)
    address = urlsplit(api.url)
    for _ in range(5):
        connection = HTTPConnection(str(address.hostname), address.port)
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        assert answer.read()
        assert answer.will_close
        connection.close()


@pytest.mark.parametrize("required", [False, True])
def test_whoever_shows_a_key_is_recognised_at_every_look(
    start_api: Any, redis_url: str, required: bool
) -> None:
    secret, key = mint("anna", is_admin=False, limits=KeyLimits(requests_per_minute=1_000))
    RedisKeyStore(redis_url).add(key)
    api = start_api(**({"SPINELABEL_AUTH": "required"} if required else {}))
    with httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {secret}"}) as http:
        path = old_job(http)
        for _ in range(_LOOKS):
            http.get(path).raise_for_status()
    api.stop()  # the last line may come after its answer
    assert lines_about(api, path) == _LOOKS
