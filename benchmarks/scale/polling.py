"""The cost of many status requests per second to the polled job."""

from __future__ import annotations

import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.local_stack import LocalStack
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.spinelabel_runner import seconds

_CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PAIRS = 5


class Poller:
    """Requests the status of the newest open job on one connection, at a fixed rate.

    With a socket and a prepared request, because client and job share the cores.
    """

    def __init__(self, stack: LocalStack, per_second: int) -> None:
        self._url = stack.url
        self._every_s = 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self.waits: list[float] = []

    def __enter__(self) -> Poller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _poll(self) -> None:
        path = self._open_job()
        address = urlsplit(self._url)
        assert address.hostname
        request = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        with socket.create_connection((address.hostname, address.port or 80)) as connection:
            due = time.perf_counter()
            while not self._stop.is_set():
                started = time.perf_counter()
                connection.sendall(request)
                _read_response(connection)
                self.waits.append(time.perf_counter() - started)
                due = max(due + self._every_s, started)
                time.sleep(max(0.0, due - time.perf_counter()))

    def _open_job(self) -> str:
        with httpx.Client(base_url=self._url) as http:
            while not self._stop.is_set():
                for job in http.get("/v1/jobs?limit=1").raise_for_status().json()["jobs"]:
                    if job["state"] in ("queued", "in_progress"):
                        return str(job["links"]["self"])
                time.sleep(self._every_s)
        raise SystemExit("there was no open job to poll")


def _read_response(connection: socket.socket) -> None:
    response = b""
    while (end := response.find(b"\r\n\r\n")) < 0:
        response += _receive(connection)
    length = _CONTENT_LENGTH.search(response, 0, end)
    assert length is not None
    missing = end + 4 + int(length[1]) - len(response)
    while missing > 0:
        missing -= len(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    if not (received := connection.recv(65_536)):
        raise SystemExit("the API closed the connection of the poller")
    return received


def measure_polling(stack: LocalStack, folder: Path, per_second: int, rows: int) -> Iterator[str]:
    """Yield the lines of the report. Jobs run with and without polling in turn."""
    catalogue = folder / "polled.csv"
    write_catalogue(catalogue, rows, seed=14)
    # Warm-up: the model sees texts of these lengths for the first time.
    seconds(stack, catalogue, COLUMN)
    slowdowns, waits, count, polled_s = [], [], 0, 0.0
    for _ in range(_PAIRS):
        alone = seconds(stack, catalogue, COLUMN)
        with Poller(stack, per_second) as poller:
            together = seconds(stack, catalogue, COLUMN)
        slowdowns.append(together / alone - 1)
        waits += poller.waits
        count, polled_s = count + len(poller.waits), polled_s + together
    yield (
        f"{count / polled_s:.0f} status requests per second: the duration of the job changes by "
        f"{statistics.median(slowdowns):+.1%} "
        f"({', '.join(f'{value:+.1%}' for value in slowdowns)}); response time "
        f"{statistics.median(waits) * 1000:.1f} ms"
    )
