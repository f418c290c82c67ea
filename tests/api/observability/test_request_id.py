"""Each response names its request, and the log lines of the request carry the same id."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.api.conftest import StartApi
from tests.waiting import WITHIN_S, eventually


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 65, "é", "a;b"])
def test_an_unusable_request_id_is_replaced(start_api: StartApi, request_id: str) -> None:
    api = start_api()
    headers = {b"X-Request-ID": request_id.encode()} if request_id else {}
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        responses = [client.get("/v1/jobs", headers=headers), client.get("/v1/jobs")]
    returned = [response.headers["X-Request-ID"] for response in responses]
    assert all(re.fullmatch(r"[0-9a-f]{32}", value) for value in returned)
    assert len(set(returned)) == 2


def test_a_clients_request_id_is_returned_and_logged(start_api: StartApi) -> None:
    api = start_api(SPINELABEL_LOG_FORMAT="json")
    # One connection, so one thread.
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        for request_id in ("client-1", "client-2"):
            response = client.get("/v1/unknown", headers={"X-Request-ID": request_id})
            assert response.headers["X-Request-ID"] == request_id
    lines = eventually(
        lambda: (
            [
                line
                for line in map(json.loads, api.log.read_text().splitlines())
                if line.get("logger") == "api.access"
            ][1:]
            and [json.loads(line) for line in api.log.read_text().splitlines()]
        )
    )
    access = [line["request_id"] for line in lines if line.get("logger") == "api.access"]
    assert access == ["client-1", "client-2"]
