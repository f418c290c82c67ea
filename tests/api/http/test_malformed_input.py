"""Malformed input never causes a 500, on any route, over a real Redis."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import product
from typing import Any
from urllib.parse import quote_from_bytes

import pytest

from api.http.bodies import MAX_DEPTH, StrictJson
from jobs.redis.connection import redis_client
from jobs.redis.corrections import RedisCorrectionStore
from jobs.redis.job_store import redis_job_store
from jobs.redis.webhooks import RedisWebhookStore
from tests.api.client import ApiClient, client_of
from tests.api.conftest import ApiHarness, StartApi
from tests.api.keyed_api import KeyedApi
from tests.api.results.test_review import completed_job

CATALOGUE = b"title,summary\nA,some words\n"

VALUES = [
    b"", b" 1", b"+1", b"-1", b"0", b"1.5", b"1_000", b"0x10", b"1e400", b"NaN", b"Infinity", b"null", b"[]",
    b"true", b"\0", b"a\0b", b"1\n2", b"\xff\xfe", b"\xed\xa0\x80", "٣".encode(), "🦄".encode(), b"9" * 20,
    b"9" * 5000, b"-" + b"9" * 5000, b"x" * 5000, b"__proto__", b"%00", b"../..", b"0-0", b"0-1", b"9" * 30 + b"-1",
]  # fmt: skip
PARAMETERS = {
    "/v1/jobs": ["limit", "after", "state", "created_after", "created_before", "filename", "\0", "x" * 99],
    "{job}/rows": ["limit", "after", "filter", "genre", "search"],
    "{job}/result": ["format", "neutralise_formulas"],
}  # fmt: skip
OPTIONS = [
    "filename", "webhook_url", "error_threshold", "review_threshold", "summary_column", "title_column", "alternatives",
    "evidence", "neutralise_formulas", "total_bytes",
]  # fmt: skip
ANY_HEADER = ["", "*", "\xff\xfe", "\0", '"', "null", "9" * 5000]
HEADERS = {
    "Range": ["bytes=0-", "bytes=-0", "bytes=-", "bytes=9-1", "bytes=0-0,1-1", f"bytes=-{'9' * 5000}", "lines=1-2"],
    "If-Range": ['W/"', "Thu, 99 Foo 99999 99:99:99 GMT"],
    "If-None-Match": ['W/"', '"a", "b"'],
    "If-Modified-Since": ["Thu, 99 Foo 99999 99:99:99 GMT"],
    "Prefer": ["wait=-1", "wait=NaN", "wait="],
    "Cookie": ["spinelabel_key=\xff", "spinelabel_key=" + "a" * 3000, "a=b; " * 500],
    "Accept": ["text/html;q=NaN", "*/*;q=1e999", "application/json; charset=none"],
    "Accept-Encoding": ["gzip;q=NaN"],
    "Last-Event-ID": ["1" * 3000],
    "Idempotency-Key": ["a b", "🦄".encode().decode("latin-1")],
    "Content-Type": ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff"],
    "Content-Encoding": ["gzip", "br"],
    "Authorization": ["Bearer", "Bearer \xff", "Basic Og=="],
    "Origin": ["http://[", "http://localhost:99999", "//localhost"],
    "Host": ["http://[", "localhost:99999", "[::1"],
    "Expect": ["100-continue"],
    "X-Forwarded-For": ["a, b"],
}  # fmt: skip
HEADER_CASES = [
    (name, value) for name, values in HEADERS.items() for value in [*ANY_HEADER, *values]
]
DEEP = 5000
BODIES = [
    b"", b"[", b"null", b"1", b"[]", b'"{}"', b'"["', b"\xff\xfe", b"\0", b"[" * DEEP, b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP, json.dumps("[" * DEEP).encode(), b"9" * 5000, b'{"' + b"a" * 9999 + b'":1}',
    b"{" + b'"a":1,' * 9999 + b'"a":1}',
]  # fmt: skip
FIELD_VALUES = [
    b"null", b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b'"\\udfff"', b'"\\u0000"', b'"a\\nb"', b'""', b"[]",
    b"{}", b"[" * DEEP + b"]" * DEEP, b'["\\ud800"]', b'[{"summary":"\\ud800"}]', b"[[[[[1]]]]]", b'[{"summary":{"a":1}}]',
]  # fmt: skip
ROWS = ["0", "1", "9" * 20, "9" * 4400, "٣", "-1", "1e3"]


@pytest.fixture
def redis_harness(harness: ApiHarness, redis_url: str) -> ApiHarness:
    """A harness over a real Redis, which refuses texts that the in-memory stores accept."""
    harness.store = redis_job_store(redis_client(redis_url))
    harness.corrections = RedisCorrectionStore(redis_client(redis_url))
    harness.webhooks = RedisWebhookStore(redis_client(redis_url))
    return harness


class RequestSender:
    """Sends requests to the API and collects those that end in 500."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.failures: list[str] = []
        self.count = 0

    def __call__(self, method: str, path: str, **options: Any) -> None:
        response = self.client.open(path, method=method, **options)
        response.close()
        self.count += 1
        if response.status_code == 500:
            self.failures.append(f"{method} {path[:100]} {str(options)[:200]}")


@pytest.fixture
def send(redis_harness: ApiHarness) -> Iterator[RequestSender]:
    send = RequestSender(redis_harness.client())
    yield send
    assert send.count > 10
    assert not send.failures, "\n".join(send.failures)


def test_query_parameters(send: RequestSender, redis_harness: ApiHarness) -> None:
    job = f"/v1/jobs/{completed_job(redis_harness)}"
    for path, names in PARAMETERS.items():
        for name, value in product(names, VALUES):
            query = f"{quote_from_bytes(name.encode())}={quote_from_bytes(value)}"
            send("GET", path.format(job=job), query_string=query)


def test_options_of_uploads_and_previews(send: RequestSender) -> None:
    for path, name, value in product(("/v1/jobs", "/v1/preview"), OPTIONS, VALUES):
        send("POST", path, query_string=f"{name}={quote_from_bytes(value)}", data=CATALOGUE)


@pytest.mark.parametrize("name", [b"\xff.csv", b"\xed\xa0\x80", b"a\0b", b"../x", b"x" * 5000, b""])
def test_filenames_in_forms(send: RequestSender, name: bytes) -> None:
    for path, field in product(("/v1/jobs", "/v1/preview"), (b"file", name)):
        body = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
        for cut in (None, -1, -9, 60):
            data = (body % (field, name, CATALOGUE))[:cut]
            send("POST", path, data=data, content_type="multipart/form-data; boundary=b")
            send(
                "POST",
                path,
                input_stream=BytesIO(data),
                content_type="multipart/form-data; boundary=c",
            )


def test_headers(send: RequestSender, redis_harness: ApiHarness) -> None:
    job = f"/v1/jobs/{completed_job(redis_harness)}"
    targets = [
        ("GET", job), ("GET", f"{job}/result"), ("GET", f"{job}/events"), ("POST", "/v1/jobs"), ("GET", "/static/docs.js"),
    ]  # fmt: skip
    for (method, path), (name, value) in product(targets, HEADER_CASES):
        send(method, path, headers={name: value}, data=CATALOGUE if path == "/v1/jobs" else None)


def test_cookies_and_keys(send: RequestSender, redis_harness: ApiHarness) -> None:
    send.client = client_of(KeyedApi(redis_harness).app)
    for name, value in HEADER_CASES:
        send("GET", "/v1/jobs", headers={name: value})
        send("GET", "/v1/session", headers={name: value})


def test_json_bodies(send: RequestSender, redis_harness: ApiHarness) -> None:
    job = f"/v1/jobs/{completed_job(redis_harness)}"
    targets = {
        ("POST", "/v1/label"): b"summaries",
        ("POST", "/v1/session"): b"key",
        ("PUT", f"{job}/corrections/1"): b"genre",
    }
    for (method, path), field in targets.items():
        for body in [*BODIES, *(b'{"%s":%s}' % (field, value) for value in FIELD_VALUES)]:
            for content_type in (
                "application/json",
                "application/problem+json; charset=none",
                "text/plain",
            ):
                send(method, path, data=body, content_type=content_type)


def test_paths(send: RequestSender, redis_harness: ApiHarness) -> None:
    job_id = completed_job(redis_harness)
    names = [
        "job_" + "٣" * 32,
        "\0",
        "\ud7ff",
        "x" * 5000,
        "%00",
        "..",
        job_id.upper(),
        job_id + "\n",
    ]
    for name in names:
        for path in (f"/v1/jobs/{name}", f"/static/{name}", f"/docs/assets/{name}"):
            for method in ("GET", "HEAD", "DELETE", "POST", "OPTIONS", "PATCH", "FOO"):
                send(method, path)
    for row, method in product(ROWS, ("PUT", "DELETE", "GET")):
        send(method, f"/v1/jobs/{job_id}/corrections/{row}", json={"genre": "x"})


RAW_HEADS = [
    b"GET /v1/jobs HTTP/1.0\r\n",
    b"GET /v1/jobs\r\n",
    b"GET http://user:word@localhost/v1/jobs HTTP/1.1\r\nHost: localhost\r\n",
    b"GET //v1//jobs HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /v1/jobs#a?b HTTP/1.1\r\nHost: localhost\r\n",
    b"GET v1/jobs HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /%ff%00%0a%1b[2J HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /\xff\xfe?\xff=\xfe HTTP/1.1\r\nHost: localhost\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n",
    b"G\x1bT / HTTP/1.1\r\nHost: localhost\r\n",
    b"GET / HTTP/9.9\r\nHost: localhost\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: a\r\nHost: b\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nA\x00B: c\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nA: b\x1bc\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n folded\r\n",
    b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nCookie: spinelabel_key=\xff; \xfe=;\r\n",
    b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n",
    b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\nContent-Length: 1\r\n",
    b"POST /v1/label HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"POST /v1/label HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n",
    b"POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n",
]


def test_malformed_http_causes_no_500_and_no_traceback(
    start_api: StartApi,
) -> None:
    api = start_api()
    for head in RAW_HEADS:
        with api.connect() as connection:
            connection.sendall(head + b"Connection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            response = b""
            with suppress(ConnectionError):
                while block := connection.recv(65536):
                    response += block
        assert b" 500 " not in response[:20], (head, response[:99])
    api.stop()
    log = api.log.read_text()
    assert "Traceback" not in log
    assert "user:word" not in log
    assert all(line.isprintable() and line[:2] in ("20", '{"') for line in log.splitlines())


@pytest.mark.parametrize(
    "body",
    [
        b'{"summaries":[' + b"[" * DEEP + b"]" * DEEP + b"]}",
        b'{"summaries":["a"],"evidence":NaN}',
        b'{"summaries":["half of \\ud83e a pair"]}',
        b'{"summaries":["a"]',
        '{"summaries":["ü"]}'.encode("latin-1"),
    ],
)
def test_an_invalid_json_body_is_reported_as_such(client: ApiClient, body: bytes) -> None:
    response = client.post("/v1/label", data=body, content_type="application/json")
    assert (response.status_code, response.get_json()["code"]) == (400, "INVALID_BODY")


def test_json_depth_is_bounded_and_brackets_in_strings_do_not_count(harness: ApiHarness) -> None:
    reader = StrictJson(harness.app())
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(reader.loads(deepest)) == deepest
    with pytest.raises(ValueError, match="nested deeper"):
        reader.loads(f"[{deepest}]")
    flat = json.dumps({"a": ["[" * 500, '"{' * 500, "\\" * 9, '\\"['] * 9, "b": [[]] * 500})
    assert reader.loads(flat) == json.loads(flat)
    assert reader.loads(b'"\\ud83e\\udd84"') == "🦄"
