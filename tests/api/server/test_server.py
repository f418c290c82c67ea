"""The server process: gunicorn, a real socket and a real Redis."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from cli.local_stack.data.redis_server import RedisServer
from jobs.api_keys import KeyLimits, generate_api_key
from jobs.files.storage import Storage, input_path, result_path
from jobs.job import State
from jobs.ports.record.step_leases import ASSEMBLE
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.redis.api_keys import RedisApiKeyStore
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from tests.api.conftest import ApiProcess, StartApi
from tests.waiting import WITHIN_S

CATALOGUE = b"title,summary\nA,some words\n"
MB = 1_000_000


def blocks(total: int) -> Iterator[bytes]:
    """A catalogue of about `total` bytes."""
    yield b"title,summary\n"
    block = b"A,%b\r\n" % (b"some words " * 100) * 60
    for _ in range(total // len(block)):
        yield block


def worker_process(api: ApiProcess) -> psutil.Process:
    (worker,) = psutil.Process(api.process.pid).children()
    return worker


def read_problem(connection: socket.socket) -> tuple[int, str]:
    """Status and problem code of the response on a connection."""
    response = HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())["code"]


class PeakMemory:
    """The peak memory of a process while the block runs, in MB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._done = process, threading.Event()
        self.before = self.value = process.memory_info().rss / MB
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.value = max(self.value, self._process.memory_info().rss / MB)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


@pytest.mark.parametrize("method", ["form", "length", "chunked"])
def test_an_upload_of_30_mb_is_stored_in_constant_memory(
    api: ApiProcess, redis_url: str, tmp_path: Path, method: str
) -> None:
    path = f"{api.url}/v1/jobs"
    httpx.post(
        path, content=CATALOGUE, timeout=WITHIN_S
    ).raise_for_status()  # triggers lazy imports
    content = tmp_path / "big.csv"
    with content.open("wb") as output:
        output.writelines(blocks(30 * MB))
    with PeakMemory(worker_process(api)) as peak, content.open("rb") as stream:
        if method == "form":
            response = httpx.post(path, files={"file": ("big.csv", stream)}, timeout=WITHIN_S)
        elif method == "length":
            length = {"Content-Length": str(content.stat().st_size)}
            response = httpx.post(path, content=stream, headers=length, timeout=WITHIN_S)
        else:
            response = httpx.post(path, content=blocks(30 * MB), timeout=WITHIN_S)
    assert response.status_code == 202, response.text
    job_id = response.json()["id"]
    with api.storage.open(input_path(job_id)) as stored:
        assert stored.read() == content.read_bytes()
    assert (
        redis_job_store(redis_client(redis_url)).jobs.get(job_id).input_bytes
        == content.stat().st_size
    )
    assert peak.value - peak.before < 15
    assert psutil.Process(api.process.pid).memory_info().rss / MB + peak.value < 150


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "too large": ({"content": bytes(3 * MB)}, 413, "FILE_TOO_LARGE"),
    "too large, chunked": ({"content": blocks(3 * MB)}, 413, "FILE_TOO_LARGE"),
    "too large, form": ({"files": {"file": bytes(3 * MB)}}, 413, "FILE_TOO_LARGE"),
    "empty": ({"content": b""}, 422, "EMPTY_FILE"),
    "empty, form": ({"files": {"file": b""}}, 422, "EMPTY_FILE"),
    "binary": ({"content": b"%PDF-" + bytes(MB)}, 415, "NOT_TEXT"),
    "damaged archive": ({"content": b"PK\x03\x04" + bytes(MB)}, 422, "CORRUPT_ARCHIVE"),
    "no summary": ({"content": b"a,b\n1,2\n" * 60_000}, 422, "NO_SUMMARY_COLUMN"),
    "unknown column": (
        {"content": CATALOGUE, "params": {"summary_column": "x"}},
        422,
        "SUMMARY_COLUMN_NOT_FOUND",
    ),
    "no rows": ({"content": b"title,summary\n"}, 422, "NO_ROWS"),
    "no file": ({"files": {"summary_column": (None, b"x")}}, 400, "NO_FILE"),
}


def test_every_refusal_reaches_the_client_and_leaves_no_files(
    start_api: StartApi, redis_url: str
) -> None:
    api = start_api(SPINELABEL_MAX_UPLOAD_BYTES=str(2 * MB))
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        for case, (arguments, status, code) in REFUSED.items():
            response = client.post("/v1/jobs", **arguments)
            assert (case, response.status_code, response.json()["code"]) == (case, status, code)
        assert client.get("/v1/jobs").json() == {"jobs": [], "next": None}
    assert api.storage.names("") == []
    assert redis_job_store(redis_client(redis_url)).jobs.active_ids() == []


def test_a_client_that_reads_after_sending_everything_gets_the_refusal(
    start_api: StartApi,
) -> None:
    api = start_api(SPINELABEL_MAX_UPLOAD_BYTES="1000")
    with api.connect() as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n"
        )
        connection.sendall(bytes(20_000_000))
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_disconnected_client_leaves_no_files(
    api: ApiProcess, redis_url: str, wait_until: Callable[..., None]
) -> None:
    logged = len(api.log.read_text())
    api.begin_upload().close()
    wait_until(lambda: api.storage.names("") == [])
    wait_until(lambda: "status=400" in api.log.read_text()[logged:])
    assert redis_job_store(redis_client(redis_url)).jobs.newest(limit=1) == []
    assert "Traceback" not in api.log.read_text()[logged:]


def test_a_half_closed_connection_leaves_no_files(api: ApiProcess, redis_url: str) -> None:
    with api.begin_upload() as connection:
        connection.shutdown(socket.SHUT_WR)
        assert read_problem(connection) == (400, "UPLOAD_INTERRUPTED")
    assert api.storage.names("") == []
    assert redis_job_store(redis_client(redis_url)).jobs.newest(limit=1) == []


def test_an_incomplete_chunked_body_leaves_no_files(api: ApiProcess) -> None:
    with api.connect() as connection:
        connection.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1b\r\n" + CATALOGUE + b"\r\nff\r\nhalf a chunk"
        )
        connection.shutdown(socket.SHUT_WR)
        assert read_problem(connection) == (400, "UPLOAD_INTERRUPTED")
    assert api.storage.names("") == []


def test_a_stalled_client_times_out_and_leaves_no_files(start_api: StartApi) -> None:
    api = start_api(SPINELABEL_API_IDLE_TIMEOUT_S="1", SPINELABEL_API_HEADER_TIMEOUT_S="1")
    with (
        api.begin_upload() as connection,
        api.connect() as in_headers,
        api.connect() as before_headers,
    ):
        in_headers.sendall(b"GET /healthz HT")
        assert read_problem(connection) == (408, "UPLOAD_STALLED")
        assert read_problem(in_headers) == (408, "REQUEST_STALLED")
        assert before_headers.recv(1) == b""
    assert api.storage.names("") == []
    assert "Traceback" not in api.log.read_text()


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_shutdown_aborts_an_upload_and_leaves_no_files(
    start_api: StartApi, redis_url: str, stop_signal: signal.Signals
) -> None:
    api = start_api(SPINELABEL_API_SHUTDOWN_TIMEOUT_S="1")
    with api.begin_upload():
        assert api.stop(stop_signal) == 0
    assert api.storage.names("") == []
    assert redis_job_store(redis_client(redis_url)).jobs.newest(limit=1) == []


def test_an_upload_whose_process_was_killed_expires_in_the_registry(
    start_api: StartApi, redis_url: str, wait_until: Callable[..., object]
) -> None:
    api = start_api()
    store = redis_job_store(redis_client(redis_url))
    with api.begin_upload():
        (server,) = psutil.Process(api.process.pid).children()
        server.kill()
        server.wait(20)
    assert len(api.storage.names("jobs")) == 1
    assert store.uploads.expire(elapsed_s=UPLOAD_LOST_AFTER_S - 1) == []
    (lost,) = store.uploads.expire(elapsed_s=1)
    assert api.storage.names(f"jobs/{lost}")
    wait_until(lambda: len(psutil.Process(api.process.pid).children()) == 1)


def test_an_upload_that_completes_during_shutdown_is_accepted(
    start_api: StartApi,
) -> None:
    api = start_api(SPINELABEL_API_SHUTDOWN_TIMEOUT_S="10")
    content = b"title,summary\n" + b"A,some words\n" * 60_000 + b"B,more words\n"
    with api.begin_upload(len(content)) as connection:
        api.process.send_signal(signal.SIGTERM)
        connection.sendall(b"B,more words\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 202 ")
    assert api.process.wait(timeout=WITHIN_S) == 0


def test_the_api_is_unavailable_without_redis_and_recovers(
    start_api: StartApi, tmp_path: Path
) -> None:
    server = RedisServer(tmp_path / "redis")
    server.start()
    try:
        api = start_api(SPINELABEL_REDIS_URL=server.url)
        with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
            assert client.post("/v1/jobs", content=CATALOGUE).status_code == 202
            names_before = api.storage.names("")
            server.stop()
            response = client.post("/v1/jobs", content=CATALOGUE)
            assert (response.status_code, response.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
            assert response.headers["Retry-After"] == "5"
            assert api.storage.names("") == names_before
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").json()["checks"]["redis"]["ok"] is False
            server.start()
            assert client.post("/v1/jobs", content=CATALOGUE).status_code == 202
            assert len(client.get("/v1/jobs").json()["jobs"]) == 2
    finally:
        server.stop()


def test_a_result_is_downloaded_whole_and_in_ranges(api: ApiProcess, redis_url: str) -> None:
    store = redis_job_store(redis_client(redis_url))
    result = b"".join(blocks(5 * MB))
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        job = client.post("/v1/jobs", content=CATALOGUE).json()
        assert client.post(job["links"]["cancel"]).status_code == 202
        with api.storage.publish(result_path(job["id"])) as stream:
            stream.write(result)
        claim = store.leases.claim(job["id"], ASSEMBLE, lease_s=60)
        assert claim is not None
        assert store.chunks.finish(claim).state is State.CANCELLED
        link = client.get(job["links"]["self"]).json()["links"]["result"]
        whole = client.get(link)
        assert (whole.status_code, whole.content) == (200, result)
        part = client.get(link, headers={"Range": "bytes=1000000-3999999"})
        assert (part.status_code, part.content) == (206, result[1_000_000:4_000_000])
        tag = {"If-None-Match": whole.headers["ETag"]}
        assert client.get(link, headers=tag).status_code == 304
        assert client.head(link).headers["Content-Length"] == str(len(result))
        assert client.delete(job["links"]["self"]).status_code == 204
    assert api.storage.names("") == []


def test_the_access_log_names_the_job_and_omits_health_checks(start_api: StartApi) -> None:
    api = start_api()
    httpx.get(f"{api.url}/healthz", timeout=WITHIN_S).raise_for_status()
    httpx.get(f"{api.url}/nothing%0Ahere", timeout=WITHIN_S)
    job_id = httpx.post(f"{api.url}/v1/jobs", content=CATALOGUE, timeout=WITHIN_S).json()["id"]
    api.stop()
    log = api.log.read_text()
    assert "healthz" not in log
    fields = r"sent_bytes=\d+ duration_ms=\d+"
    assert re.search(rf"method=POST url=/v1/jobs status=202 {fields} job_id={job_id}", log)
    assert re.search(r"method=GET url=/nothing%0Ahere status=404", log)


def run_api(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def test_an_occupied_port_is_reported_in_one_line(api: ApiProcess) -> None:
    port = api.url.rpartition(":")[2]
    result = run_api(SPINELABEL_API_PORT=port)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert port in result.stderr
    assert "SPINELABEL_API_PORT" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SPINELABEL_API_PORT", "99999"),
        ("SPINELABEL_API_THREADS", "none"),
        ("SPINELABEL_MAX_UPLOAD_BYTES", "0"),
        ("SPINELABEL_REDIS_URL", "http://user:pa55@host"),
        ("SPINELABEL_REDIS_URL", "redis://user:pa55@host:none/0"),
        ("SPINELABEL_STORAGE_URL", "nosuch://place"),
        ("SPINELABEL_STORAGE_URL", ""),
        ("SPINELABEL_API_HOST", "no.such.host.invalid"),
    ],
)
def test_an_invalid_setting_is_reported_by_name_at_start(name: str, value: str) -> None:
    result = run_api(**{"SPINELABEL_API_PORT": "0", name: value})
    assert result.returncode in (1, 2)
    assert result.stderr.startswith(f"{name}: ")
    assert len(result.stderr.splitlines()) == 1
    assert "pa55" not in result.stderr


def test_the_input_is_stored_before_the_job_and_the_job_before_its_message(
    api: ApiProcess, redis_url: str, redis_server: RedisServer
) -> None:
    job_id = httpx.post(f"{api.url}/v1/jobs", content=CATALOGUE, timeout=WITHIN_S).json()["id"]
    job = redis_job_store(redis_client(redis_url)).jobs.get(job_id)
    stored_at = Path(str(api.log.parent / "storage" / input_path(job_id))).stat().st_mtime
    assert stored_at <= job.state_times[State.QUEUED] + 0.001
    (message,) = redis_server.client().lrange("spinelabel.control", 0, -1)
    assert job_id in json.loads(message)["headers"]["argsrepr"]


def test_readiness_fails_with_an_unusable_storage_folder(
    start_api: StartApi, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    api = start_api(SPINELABEL_STORAGE_URL=str(tmp_path / "file"))
    assert (
        httpx.get(f"{api.url}/readyz", timeout=WITHIN_S).json()["checks"]["storage"]["ok"] is False
    )
    assert Storage(str(tmp_path / "file")).exists("x") is False


def test_a_server_with_keys_authenticates_and_limits_rates(
    start_api: StartApi, redis_url: str
) -> None:
    api = start_api(SPINELABEL_AUTH="required")
    key, stored_key = generate_api_key(
        "anna", is_admin=False, limits=KeyLimits(requests_per_minute=3)
    )
    RedisApiKeyStore(redis_client(redis_url)).add(stored_key)
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        assert client.get("/v1/jobs").json()["code"] == "UNAUTHENTICATED"
        client.headers["Authorization"] = f"Bearer {key}"
        responses = [client.get("/v1/jobs") for _ in range(4)]
        assert [response.status_code for response in responses] == [200, 200, 200, 429]
        assert 0 < int(responses[-1].headers["Retry-After"]) <= 61
        RedisApiKeyStore(redis_client(redis_url)).revoke(stored_key.id)
        assert client.get("/v1/jobs").json()["code"] == "INVALID_API_KEY"
    assert "api_keys='required; " in api.log.read_text()


def test_keys_cannot_be_off_on_a_public_address(start_api: StartApi) -> None:
    with pytest.raises(AssertionError, match=r"SPINELABEL_AUTH: .*keys cannot be off"):
        start_api(SPINELABEL_AUTH="off", SPINELABEL_API_HOST="0.0.0.0")


def test_an_audit_line_is_one_json_object(start_api: StartApi) -> None:
    api = start_api()
    with httpx.Client(base_url=api.url, timeout=WITHIN_S) as client:
        job = client.post("/v1/jobs", content=b"title,summary\nA,some words\n").json()
    (line,) = (text for text in api.log.read_text().splitlines() if text.startswith("{"))
    assert json.loads(line)["job_id"] == job["id"]


@pytest.mark.parametrize(
    ("request_line", "header", "status", "code"),
    [
        ("GET /v1/jobs?filename=" + "x" * 9000 + " HTTP/1.1", "A: b", 414, "URI_TOO_LONG"),
        ("GET /v1/jobs HTTP/1.1", "A: " + "b" * 9000, 431, "HEADERS_TOO_LARGE"),
        ("GET /v1/jobs HTTP/1.1", "no header", 400, "BAD_REQUEST"),
        ("nonsense", "A: b", 400, "BAD_REQUEST"),
    ],
)
def test_an_unparsable_request_gets_a_problem(
    api: ApiProcess, request_line: str, header: str, status: int, code: str
) -> None:
    with api.connect() as connection:
        connection.sendall(f"{request_line}\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n".encode())
        response = b""
        while block := connection.recv(65536):
            response += block
    head, _, body = response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert json.loads(body)["code"] == code


def test_idle_keep_alive_connections_use_no_threads(start_api: StartApi) -> None:
    api = start_api(SPINELABEL_API_THREADS="2")
    address = urlsplit(api.url)
    began = time.monotonic()
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(
                closing(HTTPConnection(address.hostname or "", address.port, timeout=5))
            )
            for _ in range(3):  # the later requests reuse the connection
                connection.request("GET", "/healthz")
                assert connection.getresponse().read()
    assert time.monotonic() - began < 5
