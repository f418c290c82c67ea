"""The API in this process, over real storage and an in-memory job store, and as a process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from api.app import create_app
from api.dependencies import Services
from api.settings import ApiSettings
from cli.local_stack.data.redis_server import RedisServer
from jobs.files.storage import Storage, errors_path, result_path
from jobs.job import Chunk, Job, PinnedModel, State
from jobs.memory.api_keys import MemoryApiKeyStore
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.job_store import memory_job_store
from jobs.memory.label_requests import MemoryLabelRequests
from jobs.memory.record.state import MemoryState
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.ports.api_keys import ApiKeyStore
from jobs.ports.corrections import CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step
from jobs.ports.webhooks import WebhookStore
from jobs.queue.task_queue import RecordingTaskQueue
from tests.api.client import ApiClient, ApiResponse, client_of
from tests.waiting import WITHIN_S, eventually

MAX_UPLOAD_BYTES = 1_000_000
_LISTENING = re.compile(r"\blistening\b.*?\burl\W+(http://[^\s\"]+)")


@dataclass
class ApiHarness:
    """An app with its job store, storage and queue."""

    storage: Storage
    corrections: CorrectionStore = field(init=False)
    webhooks: WebhookStore = field(init=False)
    store: JobStore = field(init=False)
    keys: ApiKeyStore = field(default_factory=MemoryApiKeyStore)
    task_queue: RecordingTaskQueue = field(default_factory=RecordingTaskQueue)
    label_requests: MemoryLabelRequests = field(default_factory=MemoryLabelRequests)
    settings: ApiSettings = field(
        default_factory=lambda: ApiSettings(max_upload_bytes=MAX_UPLOAD_BYTES)
    )

    def __post_init__(self) -> None:
        webhooks, corrections = MemoryWebhookStore(), MemoryCorrectionStore()
        self.webhooks, self.corrections = webhooks, corrections
        self.store = memory_job_store(MemoryState(webhooks=webhooks, corrections=corrections))

    def app(self) -> Flask:
        return create_app(
            self.settings,
            Services(
                store=self.store,
                storage=self.storage,
                task_queue=self.task_queue,
                corrections=self.corrections,
                keys=self.keys,
                label_requests=self.label_requests,
                webhooks=self.webhooks,
                rate_limit_url="memory://",
            ),
        )

    def client(self) -> ApiClient:
        return client_of(self.app())

    def submit(self, content: bytes = b"title,summary\nA,some words\n", name: str = "a.csv") -> str:
        response = self.client().post("/v1/jobs", query_string={"filename": name}, data=content)
        assert response.status_code == 202, response.text
        return str(response.json["id"])

    def post_with_options(self, content: bytes, options_in: str, **options: str) -> ApiResponse:
        """Upload with options in the "query" of a raw body, or as fields of a "form"."""
        if options_in == "query":
            query = {"filename": "a.csv", **options}
            return self.client().post("/v1/jobs", query_string=query, data=content)
        fields = {"file": (BytesIO(content), "a.csv"), **options}
        return self.client().post("/v1/jobs", data=fields, content_type="multipart/form-data")

    def is_empty(self) -> bool:
        """Whether there is no file, no job and no message."""
        return not (
            self.storage.names("") or self.store.jobs.newest(limit=1) or self.task_queue.sent
        )

    def label(
        self, job_id: str, *, rows: int = 2, failed: int = 0, error: str = "EMPTY_SUMMARY"
    ) -> None:
        """Plan and label the job as workers do; `error` is the code of the failed rows."""
        claim = self.store.leases.claim(job_id, PLAN, lease_s=60)
        assert claim is not None
        self.store.chunks.begin_planning(claim, model=PinnedModel(3, "d3"))
        chunk = Chunk(index=0, start=0, end=10, first_row=1, rows=rows)
        self.store.chunks.add(claim, [chunk], last=True, window=1)
        claim = self.store.leases.claim(job_id, label_step(0), lease_s=60)
        assert claim is not None
        self.store.chunks.commit(
            claim,
            0,
            labelled=rows - failed,
            failed=failed,
            manifest="",
            window=1,
            errors={error: failed} if failed else {},
        )

    def assemble(self, job_id: str, result: bytes | None = b"a,b\n1,2\n") -> Job:
        """Assemble the job as a worker does; with `result=None` it has no files."""
        if result is not None:
            for path, content in ((result_path(job_id), result), (errors_path(job_id), b"row\n")):
                with self.storage.publish(path) as stream:
                    stream.write(content)
        claim = self.store.leases.claim(job_id, ASSEMBLE, lease_s=60)
        assert claim is not None
        return self.store.chunks.finish(claim)

    def complete_job(self, result: bytes = b"a,b\n1,2\n", name: str = "a.csv") -> str:
        job_id = self.submit(name=name)
        self.label(job_id)
        assert self.assemble(job_id, result).state is State.COMPLETED
        return job_id


@pytest.fixture
def harness(tmp_path: Path) -> ApiHarness:
    return ApiHarness(Storage(str(tmp_path / "storage")))


@pytest.fixture
def client(harness: ApiHarness) -> ApiClient:
    return harness.client()


class ApiProcess:
    """`python -m api` on a free port."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "api.log"
        self.storage = Storage(str(folder / "storage"))
        settings = {
            "SPINELABEL_API_PORT": "0",
            "SPINELABEL_LOG_FORMAT": "console",
            "SPINELABEL_STORAGE_URL": str(folder / "storage"),
            **environment,
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api"],
                env={**os.environ, **settings},
                stdout=output,
                stderr=output,
            )
        self.url = self._wait_until_listening()

    def _wait_until_listening(self) -> str:
        def listening() -> str | None:
            assert self.process.poll() is None, self.log.read_text()
            match = _LISTENING.search(self.log.read_text())
            return match[1] if match else None

        return str(eventually(listening, what=self.log.read_text))

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        assert address.hostname
        assert address.port
        return socket.create_connection((address.hostname, address.port), timeout=WITHIN_S)

    def begin_upload(self, content_length: int = 5_000_000) -> socket.socket:
        """Send the first part of an upload, and return when it is being stored."""
        connection = self.connect()
        head = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {content_length}\r\n\r\n"
        )
        connection.sendall(head.encode() + b"title,summary\n" + b"A,some words\n" * 60_000)
        eventually(lambda: self.storage.names(""))
        return connection

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(timeout=WITHIN_S)


@pytest.fixture
def wait_until() -> Callable[..., object]:
    return eventually


StartApi = Callable[..., ApiProcess]


@pytest.fixture
def start_api(tmp_path: Path, redis_url: str) -> Iterator[StartApi]:
    """Start API processes with these settings; all are stopped after the test."""
    processes: list[ApiProcess] = []

    def start(**environment: str) -> ApiProcess:
        folder = tmp_path / f"api{len(processes)}"
        api = ApiProcess(folder, {"SPINELABEL_REDIS_URL": redis_url, **environment})
        processes.append(api)
        return api

    yield start
    for api in processes:
        api.stop()


@pytest.fixture(scope="module")
def _module_api(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("api")
    api = ApiProcess(folder, {"SPINELABEL_REDIS_URL": redis_server.url})
    yield api
    api.stop()


@pytest.fixture
def api(_module_api: ApiProcess, redis_url: str) -> ApiProcess:
    """An API process with default settings over an empty Redis and an empty storage."""
    assert redis_url
    for name in _module_api.storage.names(""):
        _module_api.storage.delete(name)
    return _module_api
