"""Nobody takes the server from others with slow connections: real sockets against the process that users get."""

from __future__ import annotations

import json
import os
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

# On a machine that has a core free for the server; beside other load the server gets its share of the cores.
PROMISED_S = 1.0
DEADLINE_S = 2
LEAST_BYTES_PER_S = 1000
_MEASURED_S = 3.0
_GIVE_UP_S = 60.0

_SHORT = {
    "SPINELABEL_API_HEADER_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_BODY_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_IDLE_TIMEOUT_S": str(DEADLINE_S),
    "SPINELABEL_API_MIN_BYTES_PER_S": str(LEAST_BYTES_PER_S),
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
    key, made = generate_api_key(owner, is_admin=False, limits=KeyLimits(**limits))
    RedisApiKeyStore(redis_client(redis_url)).add(made)
    return key


def new_job(api: ApiProcess, key: str | None) -> str:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    content = b"title,summary\nA,some words\n"
    answer = httpx.post(f"{api.url}/v1/jobs", content=content, headers=headers, timeout=WITHIN_S)
    return str(answer.raise_for_status().json()["id"])


def large_result(api: ApiProcess, redis_url: str, key: str | None) -> str:
    """An ended job with a result of 5 MB as workers write it."""
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


def seconds(api: ApiProcess, path: str, key: str | None = None) -> float:
    """How long one request takes, its connection included."""
    address = urlsplit(api.url)
    began = time.monotonic()
    connection = HTTPConnection(address.hostname or "", address.port, timeout=_GIVE_UP_S)
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200
    return time.monotonic() - began


class Others(NamedTuple):
    """Somebody else than those who attack, and a server that is not attacked."""

    api: ApiProcess
    job_id: str
    key: str | None
    control: ApiProcess

    def slowest(self) -> float:
        """The longest of a probe and a look, less what the machine itself makes the other server wait."""
        machine = seconds(self.control, "/healthz")
        return max(
            seconds(self.api, "/healthz") - machine,
            seconds(self.api, f"/v1/jobs/{self.job_id}", self.key) - machine,
        )


def assert_others_are_served(others: Others, clients: SlowClients, *, until_gone: bool) -> None:
    """Measure all along, at least for some seconds, and until the first clients have been cut off."""
    began = time.monotonic()
    slowest = []
    while time.monotonic() - began < _MEASURED_S or (until_gone and not clients.first_are_gone):
        assert time.monotonic() - began < _GIVE_UP_S, f"only {clients.closed} were cut off"
        slowest.append(others.slowest())
    others_load = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert max(slowest) < PROMISED_S * others_load, slowest


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
def test_clients_without_a_key_delay_nobody(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, how: str
) -> None:
    anna = new_key(redis_url, "anna")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    opening, drip = WITHOUT_A_KEY[how]
    with SlowClients(with_keys.url, opening, drip=drip) as clients:
        assert_others_are_served(others, clients, until_gone="upload" not in how)


@pytest.mark.parametrize("opening", [b"", b"GET /v1/jobs HTTP/1.1\r\n"])
def test_more_connections_than_the_server_has_keep_nobody_out(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, opening: bytes
) -> None:
    anna = new_key(redis_url, "anna")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    with SlowClients(with_keys.url, opening, count=700) as clients:
        eventually(lambda: clients.opened >= 700)
        assert_others_are_served(others, clients, until_gone=False)


def test_idle_connections_that_were_answered_delay_nobody(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna = new_key(redis_url, "anna")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    # Fewer than the server has: beyond that, each that is closed is replaced, which is a flood of requests.
    with SlowClients(with_keys.url, head("GET /healthz"), count=500) as clients:
        eventually(lambda: clients.answers.total() >= 500)
        assert_others_are_served(others, clients, until_gone=False)


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/preview"])
def test_uploads_that_drip_delay_nobody_and_are_cut_off(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, path: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    opening = head(f"POST {path}", eve, "Content-Length: 5000000") + b"title,summary\n"
    stored = with_keys.storage.names("jobs")
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_others_are_served(others, clients, until_gone=True)
    assert clients.answers[b"HTTP/1.1 429"] > 0
    assert clients.answers[b"HTTP/1.1 408"] > 0
    eventually(lambda: with_keys.storage.names("jobs") == stored)


def test_large_bodies_that_are_no_file_delay_nobody(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    json_body = ("Content-Type: application/json", "Content-Length: 500000")
    opening = head("POST /v1/label", eve, *json_body) + b'{"summaries": ["'
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_others_are_served(others, clients, until_gone=True)
    assert clients.answers[b"HTTP/1.1 429"] > 0


def test_a_key_over_its_limit_that_goes_on_sending_delays_nobody(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve", requests_per_minute=1)
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    opening = head("POST /v1/jobs", eve, "Content-Length: 5000000")
    with SlowClients(with_keys.url, opening, drip=b"a") as clients:
        assert_others_are_served(others, clients, until_gone=False)


@pytest.mark.parametrize("what", ["result", "result?format=jsonl", "rows?limit=100"])
def test_downloads_that_are_not_read_delay_nobody_and_are_cut_off(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, what: str
) -> None:
    anna, eve = new_key(redis_url, "anna"), new_key(redis_url, "eve")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    path = f"/v1/jobs/{large_result(with_keys, redis_url, eve)}/{what}"
    whole = httpx.get(
        with_keys.url + path, headers={"Authorization": f"Bearer {eve}"}, timeout=WITHIN_S
    )
    assert whole.status_code == 200
    with SlowClients(with_keys.url, head(f"GET {path}", eve), reads=False) as clients:
        assert_others_are_served(others, clients, until_gone=False)
        # A line is written when an answer has ended, by being cut off or refused.
        eventually(lambda: with_keys.log.read_text().count(f"GET {path} ") == 1 + clients.opened)
        assert max(clients.stop_and_read()) < len(whole.content)


@pytest.mark.parametrize("path", ["/docs/assets/swagger-ui-bundle.js", "/healthz"])
def test_answers_without_a_key_that_are_not_read_delay_nobody(
    with_keys: ApiProcess, api: ApiProcess, redis_url: str, path: str
) -> None:
    anna = new_key(redis_url, "anna")
    others = Others(with_keys, new_job(with_keys, anna), anna, api)
    # Far more requests at once than answers fit into the kernel.
    opening = head(f"GET {path}") * 200
    with SlowClients(with_keys.url, opening, drip=opening, reads=False) as clients:
        assert_others_are_served(others, clients, until_gone=False)


@pytest.mark.parametrize("what", ["upload", "download"])
def test_without_keys_looks_and_probes_are_answered_beside_slow_transfers(
    without_keys: ApiProcess, api: ApiProcess, redis_url: str, what: str
) -> None:
    others = Others(without_keys, new_job(without_keys, None), None, api)
    if what == "upload":
        opening = head("POST /v1/jobs", None, "Content-Length: 5000000") + b"title,summary\n"
        clients = SlowClients(without_keys.url, opening, drip=b"a")
    else:
        path = f"/v1/jobs/{large_result(without_keys, redis_url, None)}/result"
        clients = SlowClients(without_keys.url, head(f"GET {path}"), reads=False)
    with clients:
        assert_others_are_served(others, clients, until_gone=what == "upload")


def test_a_slow_and_steady_upload_is_accepted(with_keys: ApiProcess, redis_url: str) -> None:
    anna = new_key(redis_url, "anna")
    content = b"title,summary\n" + b"A,some words\n" * 6000
    began = time.monotonic()
    with with_keys.connect() as connection:
        connection.sendall(head("POST /v1/jobs", anna, f"Content-Length: {len(content)}"))
        # Several times as fast as it has to be, for several times as long as a deadline.
        for start in range(0, len(content), 2500):
            connection.sendall(content[start : start + 2500])
            time.sleep(0.25)
        assert time.monotonic() - began > 3 * DEADLINE_S
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")


def test_a_slow_and_steady_download_is_complete(with_keys: ApiProcess, redis_url: str) -> None:
    anna = new_key(redis_url, "anna")
    path = f"/v1/jobs/{large_result(with_keys, redis_url, anna)}/result"
    began = time.monotonic()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.settimeout(WITHIN_S)
        address = urlsplit(with_keys.url)
        connection.connect((address.hostname, address.port))
        connection.sendall(head(f"GET {path}", anna, "Range: bytes=0-799999"))
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 206
        count = 0
        while block := answer.read1(20_000):
            count += len(block)
            time.sleep(len(block) / 100_000)
    assert time.monotonic() - began > 3 * DEADLINE_S
    assert count == 800_000


def test_a_small_request_in_pieces_is_served(with_keys: ApiProcess) -> None:
    body = b'{"key": "sl_none"}'
    lines = head("POST /v1/session", None, "Content-Type: application/json")
    whole = lines[:-2] + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    with with_keys.connect() as connection:
        for n in range(len(whole)):
            connection.sendall(whole[n : n + 1])
        answer = HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (401, "INVALID_API_KEY")
        # All of it was here, so the connection can be used again.
        connection.sendall(head("GET /healthz") * 2)
        for _ in range(2):
            answer = HTTPResponse(connection)
            answer.begin()
            assert answer.read()
            assert (answer.status, answer.getheader("Connection")) == (200, "keep-alive")


def read_answer(connection: socket.socket) -> tuple[HTTPResponse, dict[str, Any]]:
    answer = HTTPResponse(connection)
    answer.begin()
    return answer, json.loads(answer.read())


def test_transfers_under_way_are_limited_for_each_owner_and_in_all(
    start_api: StartApi, redis_url: str
) -> None:
    api = start_api(
        SPINELABEL_AUTH="required",
        SPINELABEL_API_MAX_TRANSFERS="3",
        SPINELABEL_API_MAX_TRANSFERS_PER_OWNER="2",
    )
    keys = [new_key(redis_url, owner) for owner in ("anna", "eve")]

    def begin(key: str) -> socket.socket:
        connection: socket.socket = api.connect()
        opening = head("POST /v1/jobs", key, "Content-Length: 5000000")
        connection.sendall(opening + b"title,summary\n" + b"A,some words\n" * 60_000)
        return connection

    uploads = []
    for number, key in enumerate([keys[0], keys[0], keys[1]], start=1):
        uploads.append(begin(key))
        eventually(lambda number=number: len(api.storage.names("jobs")) == number)  # type: ignore[misc]
    for key, status, code in (
        (keys[0], 429, "TOO_MANY_TRANSFERS"),
        (keys[1], 503, "SERVER_BUSY"),
    ):
        with begin(key) as refused:
            answer, problem = read_answer(refused)
            assert (answer.status, problem["code"]) == (status, code)
            assert answer.getheader("Connection") == "close"
            assert int(answer.getheader("Retry-After") or 0) > 0
    uploads.pop().close()
    uploads.pop().close()
    eventually(lambda: len(api.storage.names("jobs")) == 1)
    uploads.append(begin(keys[0]))
    eventually(lambda: len(api.storage.names("jobs")) == 2)
    for upload in uploads:
        upload.close()


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("good", 413)])
def test_a_refused_body_is_not_read_and_the_answer_says_that_the_connection_closes(
    with_keys: ApiProcess, redis_url: str, key: str | None, status: int
) -> None:
    key = key and new_key(redis_url, "anna")
    with with_keys.connect() as connection:
        json_body = ("Content-Type: application/json", "Content-Length: 1100000")
        connection.sendall(head("POST /v1/label", key, *json_body))
        answer, _ = read_answer(connection)
        assert (answer.status, answer.getheader("Connection")) == (status, "close")
        assert connection.recv(1) == b""


def test_every_answer_has_a_line_in_the_access_log(with_keys: ApiProcess) -> None:
    logged = len(with_keys.log.read_text())
    for opening in (b"GET /v1/jobs HTTP/1.1\r\nA", b"nonsense\r\n\r\n"):
        with with_keys.connect() as connection:
            connection.sendall(opening)
            read_answer(connection)
    eventually(lambda: with_keys.log.read_text()[logged:].count("127.0.0.1 - - ") == 2)
    lines = with_keys.log.read_text()[logged:]
    assert " 408 " in lines
    assert " 400 " in lines
