"""Status asked many times a second while a job runs: what that costs the job."""

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

from benchmarks.local_stack import Laptop
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.spinelabel_runner import seconds

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_PAIRS = 5


class Poller:
    """Asks for the newest open job from one connection, so many times a second.

    With a socket and a ready request, since what the client itself takes is taken from the job as well.
    """

    def __init__(self, stack: Laptop, per_second: int) -> None:
        self._url = stack.url
        self._every_s = 1 / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.waits: list[float] = []

    def __enter__(self) -> Poller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        path = self._open_job()
        address = urlsplit(self._url)
        assert address.hostname
        question = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        with socket.create_connection((address.hostname, address.port or 80)) as connection:
            due = time.perf_counter()
            while not self._stop.is_set():
                began = time.perf_counter()
                connection.sendall(question)
                _read_answer(connection)
                self.waits.append(time.perf_counter() - began)
                due = max(due + self._every_s, began)
                time.sleep(max(0.0, due - time.perf_counter()))

    def _open_job(self) -> str:
        with httpx.Client(base_url=self._url) as http:
            while not self._stop.is_set():
                for job in http.get("/v1/jobs?limit=1").raise_for_status().json()["jobs"]:
                    if job["state"] in ("queued", "in_progress"):
                        return str(job["links"]["self"])
                time.sleep(self._every_s)
        raise SystemExit("no job was open while status was to be asked")


def _read_answer(connection: socket.socket) -> None:
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += _receive(connection)
    length = _LENGTH.search(answer, 0, end)
    assert length is not None
    missing = end + 4 + int(length[1]) - len(answer)
    while missing > 0:
        missing -= len(_receive(connection))


def _receive(connection: socket.socket) -> bytes:
    if not (received := connection.recv(65_536)):
        raise SystemExit("the API closed the connection of whoever asks for status")
    return received


def polled(stack: Laptop, folder: Path, per_second: int, rows: int) -> Iterator[str]:
    """Lines of the report: jobs with and without polling in turn."""
    catalogue = folder / "polled.csv"
    write_catalogue(catalogue, rows, seed=14)
    # The first one warms the model up for the shapes of these texts.
    seconds(stack, catalogue, COLUMN)
    slower, waits, count, spent = [], [], 0, 0.0
    for _ in range(_PAIRS):
        alone = seconds(stack, catalogue, COLUMN)
        with Poller(stack, per_second) as poller:
            together = seconds(stack, catalogue, COLUMN)
        slower.append(together / alone - 1)
        waits += poller.waits
        count, spent = count + len(poller.waits), spent + together
    yield (
        f"status asked {count / spent:.0f} times a second: the job takes {statistics.median(slower):+.1%} of its time "
        f"longer ({', '.join(f'{value:+.1%}' for value in slower)}); an answer in {statistics.median(waits) * 1000:.1f} ms"
    )
