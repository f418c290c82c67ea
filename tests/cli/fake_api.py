"""A server with as much of the HTTP API as the client needs, which fails where a test wants it."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ENDED = frozenset({"completed", "failed", "cancelled", "expired"})


def job_document(job_id: str = "job_1", state: str = "completed", **changes: Any) -> dict[str, Any]:
    """A job document of the API."""
    document: dict[str, Any] = {
        "id": job_id,
        "state": state,
        "filename": "catalogue.csv",
        "input_bytes": 100,
        "row_counts": {"total": 10, "labelled": 8, "failed": 2, "pending": 0},
        "total_is_final": True,
        "rows_per_second": 812.3,
        "eta_seconds": None,
        "needs_review": 1,
        "model_version": 1,
        "summary_column": "Description",
        "error": None,
        "created_at": "2026-01-02T03:04:05.678Z",
        "links": {"self": f"/v1/jobs/{job_id}", "result": f"/v1/jobs/{job_id}/result"},
    }
    return document | changes


@dataclass
class FakeJob:
    """An uploaded job, and the documents that successive polls return."""

    job_id: str
    upload: tuple[object, bytes]
    documents: list[dict[str, Any]]
    has_files: bool = True
    polls: int = 0

    def now(self) -> dict[str, Any]:
        """The current document."""
        query: Any = self.upload[0]
        links = job_document(self.job_id)["links"] if self.has_files else {}
        return self.documents[0] | {
            "id": self.job_id,
            "filename": query["filename"][0],
            "links": links,
        }

    def poll(self) -> dict[str, Any]:
        """The current document; each poll advances to the next one."""
        document = self.now()
        self.polls += 1
        self.documents = self.documents[1:] or self.documents
        return document


@dataclass
class FakeApi:
    """The responses of the server, and the requests that it received."""

    port: int = 0
    documents: list[dict[str, Any]] = field(default_factory=lambda: [job_document()])
    listed: list[dict[str, Any]] = field(default_factory=list)
    result: bytes = b""
    etag: str = '"v1"'
    break_after: list[int] = field(default_factory=list)  # bytes sent per broken response
    refusals: list[tuple[int, str, str]] = field(default_factory=list)  # status, code, detail
    labels: dict[str, Any] = field(default_factory=dict)  # the response to every label request
    label_requests: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[tuple[dict[str, list[str]], bytes]] = field(default_factory=list)
    keys: dict[str, FakeJob] = field(default_factory=dict)  # jobs by Idempotency-Key
    jobs: dict[str, FakeJob] = field(default_factory=dict)  # by id; deleted if removed
    # Of the uploads with these filenames; all others have `documents`.
    documents_by_filename: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    max_open: int = 100  # jobs; more are refused
    model: dict[str, Any] = field(default_factory=lambda: {"version": 1, "labels": ["crime"]})
    ranges: list[str | None] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def serving(self, *, after_s: float = 0.0) -> Iterator[FakeApi]:
        """Listen while the block runs, from `after_s` seconds on."""
        server: list[ThreadingHTTPServer] = []
        listening = threading.Event()

        def run() -> None:
            time.sleep(after_s)
            server.append(ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self)))
            self.port = server[0].server_port
            listening.set()
            server[0].serve_forever(poll_interval=0.01)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            if not after_s:
                listening.wait()
            yield self
        finally:
            listening.wait()
            server[0].shutdown()
            for connection in self.connections:
                with suppress(OSError):  # closed by the client
                    connection.shutdown(socket.SHUT_RDWR)
            thread.join()
            server[0].server_close()


def _handler(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            api.connections.append(self.connection)

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if self._refused():
                return
            if path == "/readyz":
                self._json({"ready": True, "checks": {}})
            elif path == "/v1/model":
                self._json(api.model)
            elif path == "/v1/jobs":
                start, limit = int(query.get("after", ["0"])[0]), int(query["limit"][0])
                page = api.listed[start : start + limit]
                more = start + limit < len(api.listed)
                self._json({"jobs": page, "next": str(start + limit) if more else None})
            elif path.endswith("/result"):
                self._result()
            elif job := api.jobs.get(path.rsplit("/", 1)[-1]):
                self._json(job.poll())
            else:
                first, *rest = api.documents
                api.documents = rest or [first]
                self._json(first)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self._refused():
                return
            if self.path.endswith("/cancel"):
                api.cancelled.append(self.path)
                self._json(job_document(self.path.split("/")[-2], state="cancelling"), 202)
            elif self.path == "/v1/label":
                api.label_requests.append(json.loads(body))
                self._json(api.labels)
            else:
                self._accept_upload(parse_qs(urlsplit(self.path).query), body)

        def _accept_upload(self, query: dict[str, list[str]], body: bytes) -> None:
            """Accept an upload; like the real API, return the same job if the key is repeated."""
            key = self.headers.get("Idempotency-Key")
            if key in api.keys:
                job = api.keys[key]
                if job.upload != (query, body):
                    self._problem(
                        422, "IDEMPOTENCY_KEY_REUSED", "The key was used for another file."
                    )
                elif job.job_id not in api.jobs:
                    self._problem(404, "JOB_NOT_FOUND", "There is no such job.")
                else:
                    self._json(job.now(), 202, {"Idempotency-Replayed": "true"})
                return
            if (
                sum(other.now()["state"] not in ENDED for other in api.jobs.values())
                >= api.max_open
            ):
                self._problem(429, "TOO_MANY_OPEN_JOBS", "The limit of open jobs is reached.")
                return
            api.uploads.append((query, body))
            documents = api.documents_by_filename.get(query["filename"][0], api.documents)
            job = FakeJob(f"job_{len(api.uploads)}", (query, body), list(documents))
            api.jobs[job.job_id] = job
            if key is not None:
                api.keys[key] = job
            self._json(job.now() | {"state": "queued"}, 202, {"Idempotency-Replayed": "false"})

        def _problem(self, status: int, code: str, detail: str) -> None:
            self._json({"status": status, "code": code, "detail": detail}, status)

        def _refused(self) -> bool:
            if not api.refusals:
                return False
            status, code, detail = api.refusals.pop(0)
            self._problem(status, code, detail)
            return True

        def _result(self) -> None:
            wanted = self.headers.get("Range")
            api.ranges.append(wanted)
            start = 0
            if wanted and self.headers.get("If-Range") in (None, api.etag):
                matched = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert matched
                start = int(matched[1])
            body = api.result[start:]
            self.send_response(206 if start else 200)
            if start:
                end = len(api.result) - 1
                self.send_header("Content-Range", f"bytes {start}-{end}/{len(api.result)}")
            self.send_header("ETag", api.etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if api.break_after:
                body = body[: api.break_after.pop(0)]
                self.close_connection = True
            self.wfile.write(body)

        def _json(
            self, document: object, status: int = 200, headers: dict[str, str] | None = None
        ) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            subtype = "problem+json" if status >= 400 else "json"
            self.send_header("Content-Type", f"application/{subtype}")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep standard error quiet."""

    return Handler
