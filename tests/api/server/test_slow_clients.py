"""Slow connections do not delay other clients: real sockets against the server process."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from catalogue.labelled.labels import Label
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import inspect_head
from cli.local_stack.data.redis_server import RedisServer
from jobs.api_keys import KeyLimits, generate_api_key
from jobs.files.storage import result_path
from jobs.ports.record.step_leases import ASSEMBLE
from jobs.redis.api_keys import RedisApiKeyStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.api.conftest import ApiProcess, StartApi
from tests.api.server.slow_clients import SlowClients
from tests.waiting import WITHIN_S, eventually

# With a free core for the server; it is scaled by the load of the machine.
MAX_LATENCY_S = 1.0
DEADLINE_S = 2
MIN_BYTES_PER_S = 1000
_MEASURED_S = 3.0
_TIMEOUT_S = 60.0

_SHORT = {
    "SPINELABEL_API_HEADER_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_BODY_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_IDLE_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_MIN_BYTES_PER_S": str(MIN_BYTES_PER_S),
}


@pytest.fixture(scope="module")
def with_keys(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[ApiProcess]:
    settings = _SHORT | {"SPINELABEL_AUTH": "required", "SPINELABEL_REDIS_URL": redis_server.url}
    api = ApiProcess(tmp_path_factory.mktemp("with_keys"), settings)
    yield api
    api.stop()


@pytest.fixture(scope="module")
def without_keys(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[ApiProcess]:
    settings = _SHORT | {"SPINELABEL_REDIS_URL": redis_server.url}
    api = ApiProcess(tmp_path_factory.mktemp("without_keys"), settings)
    yield api
    api.stop()


def new_key(redis_url: str, owner: str, **limits: int) -> str:
    limits = {"requests_per_minute": 1_000_000} | limits
    key, stored_key = generate_api_key(owner, is_admin=False, limits=KeyLimits(**limits))
    RedisApiKeyStore(redis_client(redis_url)).add(stored_key)
    return key


def new_job(api: ApiProcess, key: str | None) -> str:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    content = b"title,summary\nA,some words\n"
    response = httpx.post(f"{api.url}/v1/jobs", content=content, headers=headers, timeout=WITHIN_S)
    return str(response.raise_for_status().json()["id"])


def large_result(api: ApiProcess, redis_url: str, key: str | None) -> str:
    """An ended job with a result of 5 MB, as workers write it."""
    job_id = new_job(api, key)
    store = redis_job_store(redis_client(redis_url))
    rows = b"".join(b"A%d,%b\r\n" % (n, b"some words " * 450) for n in range(1000))
    catalogue = b"title,summary\r\n" + rows
    schema = inspect_head(catalogue[:100_000], complete=False)
    records = parse_records(catalogue[schema.data_start :], schema)
    label = Label(
        genre="crime",
        confidence=0.9,
        second_genre="travel",
        second_confidence=0.1,
        genre_set=("crime",),
        needs_review=False,
    )
    with api.storage.publish(result_path(job_id)) as stream:
        stream.write(encode_header(schema))
        stream.write(encode_rows(schema, records, [label] * len(records)))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    httpx.post(
        f"{api.url}/v1/jobs/{job_id}/cancel", headers=headers, timeout=WITHIN_S
    ).raise_for_status()
    claim = store.leases.claim(job_id, ASSEMBLE, lease_s=60)
    assert claim is not None
    store.chunks.finish(claim)
    return job_id


def head(line: str, key: str | None = None, *more: str) -> bytes:
    lines = [f"{line} HTTP/1.1", "Host: localhost", *more]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    return "\r\n".join([*lines, "\r\n"]).encode()


def latency(api: ApiProcess, path: str, key: str | None = None) -> float:
    """Seconds for one request, including its connection."""
    address = urlsplit(api.url)
    began = time.monotonic()
    connection = HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_S)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200
    return time.monotonic() - began


class OtherClient(NamedTuple):
    """A client of the attacked server that behaves, and a control server that is not attacked."""

    api: ApiProcess
    job_id: str
    key: str | None
    control: ApiProcess

    def slowest(self) -> float:
        """Seconds for the slower of a probe and a job request, minus the control's latency."""
        baseline = latency(self.control, "/healthz")
        return max(
            latency(self.api, "/healthz") - baseline,
            latency(self.api, f"/v1/jobs/{self.job_id}", self.key) - baseline,
        )


def assert_other_is_served(other: OtherClient, clients: SlowClients, *, until_closed: bool) -> None:
    """Measure for some seconds at least, and until the first clients have timed out."""
    began = time.monotonic()
    slowest = []
    while time.monotonic() - began < _MEASURED_S or (
        until_closed and not clients.initial_clients_closed
    ):
        assert time.monotonic() - began < _TIMEOUT_S, f"only {clients.closed} timed out"
        slowest.append(other.slowest())
    load = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert max(slowest) < MAX_LATENCY_S * load, slowest


NOT_A_KEY = "sl_000000000000_" + "0" * 64

# Opening and drip. Each without a key; the bodies never end.
WITHOUT_A_KEY = {
    "a head byte by byte": (b"GET /healthz HTTP/1.1\r\nX-A: ", b"a"),
    "a probe's head byte by byte": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", b"a"),
    "half a head": (b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n", b""),
    "no byte at all": (b"", b""),
    "a small body byte by byte": (
        head("POST /v1/session", None, "Content-Type: application/json", "Content-Length: 5000"),
        b" ",
    ),
    "a small body never": (
        head("POST /v1/session", None, "Content-Type: application/json", "Content-Length: 5000"),
        b"",
    ),
    "a small body that is expected": (
        head("POST /v1/session", None, "Content-Length: 5000", "Expect: 100-continue"),
        b" ",
    ),
    "a body of unknown length": (
        head("POST /v1/session", None, "Transfer-Encoding: chunked"),
        b"1\r\n \r\n",
    ),
    "a probe with a body": (head("GET /healthz", None, "Content-Length: 5000000"), b"a"),
    "an upload without a key": (head("POST /v1/jobs", None, "Content-Length: 5000000"), b"a"),
    "an upload with a wrong key": (
        head("POST /v1/jobs", NOT_A_KEY, "Content-Length: 5000000"),
        b"a",
    ),
}


@pytest.mark.parametrize("how", WITHOUT_A_KEY)
def test_slow_clients_without_a_key_do_not_delay_others(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, how: str
) -> None:
    anna = new_key(redis_url, "anna")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    opening, drip = WITHOUT_A_KEY[how]
    with SlowClients(with_keys.url, opening, drip=drip) as clients:
        assert_other_is_served(other, clients, until_closed="upload" not in how)


@pytest.mark.parametrize("opening", [b"", b"GET /v1/jobs HTTP/1.1\r\n"])
def test_more_connections_than_the_limit_do_not_lock_others_out(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, opening: bytes
) -> None:
    anna = new_key(redis_url, "anna")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    with SlowClients(with_keys.url, opening, count=700) as clients:
        eventually(lambda: clients.opened >= 700)
        assert_other_is_served(other, clients, until_closed=False)


def test_idle_keep_alive_connections_do_not_delay_others(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna = new_key(redis_url, "anna")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    # Fewer than the limit: above it, each closed connection is replaced, a flood of requests.
    with SlowClients(with_keys.url, head("GET /healthz"), count=500) as clients:
        eventually(lambda: clients.responses.total() >= 500)
        assert_other_is_served(other, clients, until_closed=False)


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/preview"])
def test_slow_uploads_do_not_delay_others_and_time_out(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, path: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    opening = head(f"POST {path}", eve, "Content-Length: 5000000") + b"title,summary\n"
    stored = with_keys.storage.names("jobs")
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_other_is_served(other, clients, until_closed=True)
    assert clients.responses[b"HTTP/1.1 429"] > 0
    assert clients.responses[b"HTTP/1.1 408"] > 0
    eventually(lambda: with_keys.storage.names("jobs") == stored)


def test_slow_json_bodies_do_not_delay_others(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    json_body = ("Content-Type: application/json", "Content-Length: 500000")
    opening = head("POST /v1/label", eve, *json_body) + b'{"summaries": ["'
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_other_is_served(other, clients, until_closed=True)
    assert clients.responses[b"HTTP/1.1 429"] > 0


def test_rate_limited_clients_that_keep_sending_do_not_delay_others(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve", requests_per_minute=1)
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    opening = head("POST /v1/jobs", eve, "Content-Length: 5000000")
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_other_is_served(other, clients, until_closed=False)


def logged_requests(api: ApiProcess, path: str) -> int:
    """The number of access log lines about the path."""
    return len(re.findall(rf"url='?{re.escape(path)}'? ", api.log.read_text()))


@pytest.mark.parametrize("what", ["result", "result?format=jsonl", "rows?limit=100"])
def test_unread_downloads_do_not_delay_others_and_time_out(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, what: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    path = f"/v1/jobs/{large_result(with_keys, redis_url, eve)}/{what}"
    whole = httpx.get(
        with_keys.url + path, headers={"Authorization": f"Bearer {eve}"}, timeout=WITHIN_S
    )
    assert whole.status_code == 200
    with SlowClients(with_keys.url, head(f"GET {path}", eve), reads=False) as clients:
        assert_other_is_served(other, clients, until_closed=False)
        # The access log line is written when a response has ended, by timeout or refusal.
        eventually(lambda: logged_requests(with_keys, path) == 1 + clients.opened)
        assert max(clients.stop_and_read()) < len(whole.content)


@pytest.mark.parametrize("path", ["/docs/assets/swagger-ui-bundle.js", "/healthz"])
def test_unread_public_responses_do_not_delay_others(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, path: str
) -> None:
    anna = new_key(redis_url, "anna")
    other = OtherClient(with_keys, new_job(with_keys, anna), anna, api)
    # Far more responses than fit into the kernel's buffers.
    opening = head(f"GET {path}") * 200
    with SlowClients(with_keys.url, opening, drip=opening, reads=False) as clients:
        assert_other_is_served(other, clients, until_closed=False)


@pytest.mark.parametrize("what", ["upload", "download"])
def test_without_keys_reads_and_probes_are_served_beside_slow_transfers(
    without_keys: ApiProcess, api: ApiProcess, redis_url: str, what: str
) -> None:
    other = OtherClient(without_keys, new_job(without_keys, None), None, api)
    if what == "upload":
        opening = head("POST /v1/jobs", None, "Content-Length: 5000000") + b"title,summary\n"
        clients = SlowClients(without_keys.url, opening, drip=b"a")
    else:
        path = f"/v1/jobs/{large_result(without_keys, redis_url, None)}/result"
        clients = SlowClients(without_keys.url, head(f"GET {path}"), reads=False)
    with clients:
        assert_other_is_served(other, clients, until_closed=what == "upload")


def test_a_slow_but_steady_upload_is_accepted(with_keys: ApiProcess, redis_url: str) -> None:
    anna = new_key(redis_url, "anna")
    content = b"title,summary\n" + b"A,some words\n" * 6000
    began = time.monotonic()
    with with_keys.connect() as connection:
        connection.sendall(head("POST /v1/jobs", anna, f"Content-Length: {len(content)}"))
        # Several times the minimum rate, for several times the timeout.
        for start in range(0, len(content), 2500):
            connection.sendall(content[start : start + 2500])
            time.sleep(0.25)
        assert time.monotonic() - began > 3 * DEADLINE_S
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")


def test_a_slow_but_steady_download_is_complete(with_keys: ApiProcess, redis_url: str) -> None:
    anna = new_key(redis_url, "anna")
    path = f"/v1/jobs/{large_result(with_keys, redis_url, anna)}/result"
    began = time.monotonic()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.settimeout(WITHIN_S)
        address = urlsplit(with_keys.url)
        connection.connect((address.hostname, address.port))
        connection.sendall(head(f"GET {path}", anna, "Range: bytes=0-799999"))
        response = HTTPResponse(connection)
        response.begin()
        assert response.status == 206
        count = 0
        while block := response.read1(20_000):
            count += len(block)
            time.sleep(len(block) / 100_000)
    assert time.monotonic() - began > 3 * DEADLINE_S
    assert count == 800_000


def test_a_request_sent_byte_by_byte_is_served(with_keys: ApiProcess) -> None:
    body = b'{"key": "sl_none"}'
    lines = head("POST /v1/session", None, "Content-Type: application/json")
    whole = lines[:-2] + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    with with_keys.connect() as connection:
        for n in range(len(whole)):
            connection.sendall(whole[n : n + 1])
        response = HTTPResponse(connection)
        response.begin()
        assert (response.status, json.loads(response.read())["code"]) == (401, "INVALID_API_KEY")
        # The body was read completely, so the connection can be reused.
        connection.sendall(head("GET /healthz") * 2)
        for _ in range(2):
            response = HTTPResponse(connection)
            response.begin()
            assert response.read()
            assert (response.status, response.getheader("Connection")) == (200, "keep-alive")


def read_response(connection: socket.socket) -> tuple[HTTPResponse, dict[str, Any]]:
    response = HTTPResponse(connection)
    response.begin()
    return response, json.loads(response.read())


def test_concurrent_transfers_are_limited_per_owner_and_in_total(
    start_api: StartApi, redis_url: str
) -> None:
    api = start_api(
        SPINELABEL_AUTH="required",
        SPINELABEL_API_MAX_TRANSFERS="3",
        SPINELABEL_API_MAX_TRANSFERS_PER_OWNER="2",
    )
    keys = [new_key(redis_url, owner) for owner in ("anna", "eve")]

    def begin_upload(key: str) -> socket.socket:
        connection: socket.socket = api.connect()
        opening = head("POST /v1/jobs", key, "Content-Length: 5000000")
        connection.sendall(opening + b"title,summary\n" + b"A,some words\n" * 60_000)
        return connection

    uploads = []
    for number, key in enumerate([keys[0], keys[0], keys[1]], start=1):
        uploads.append(begin_upload(key))
        eventually(lambda number=number: len(api.storage.names("jobs")) == number)  # type: ignore[misc]
    for key, status, code in (
        (keys[0], 429, "TOO_MANY_TRANSFERS"),
        (keys[1], 503, "SERVER_BUSY"),
    ):
        with begin_upload(key) as refused:
            response, problem = read_response(refused)
            assert (response.status, problem["code"]) == (status, code)
            assert response.getheader("Connection") == "close"
            assert int(response.getheader("Retry-After") or 0) > 0
    uploads.pop().close()
    uploads.pop().close()
    eventually(lambda: len(api.storage.names("jobs")) == 1)
    uploads.append(begin_upload(keys[0]))
    eventually(lambda: len(api.storage.names("jobs")) == 2)
    for upload in uploads:
        upload.close()


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("good", 413)])
def test_a_refused_body_is_not_read_and_the_connection_closes(
    with_keys: ApiProcess, redis_url: str, key: str | None, status: int
) -> None:
    key = key and new_key(redis_url, "anna")
    with with_keys.connect() as connection:
        json_body = ("Content-Type: application/json", "Content-Length: 1100000")
        connection.sendall(head("POST /v1/label", key, *json_body))
        response, _ = read_response(connection)
        assert (response.status, response.getheader("Connection")) == (status, "close")
        assert connection.recv(1) == b""


def test_every_response_is_in_the_access_log(with_keys: ApiProcess) -> None:
    logged = len(with_keys.log.read_text())
    for opening in (b"GET /v1/jobs HTTP/1.1\r\nA", b"nonsense\r\n\r\n"):
        with with_keys.connect() as connection:
            connection.sendall(opening)
            read_response(connection)
    eventually(lambda: with_keys.log.read_text()[logged:].count("[api.access]") == 2)
    lines = with_keys.log.read_text()[logged:]
    assert "status=408" in lines
    assert "status=400" in lines
