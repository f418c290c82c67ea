"""Status asked many times a second while a job runs: what that costs the job."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.laptop import Laptop
from benchmarks.speed.catalogue import COLUMN, write_catalogue
from benchmarks.speed.system import seconds

_ROWS = 10_000
_PAIRS = 3


class Poller:
    """Asks for the newest job from one connection, so many times a second."""

    def __init__(self, stack: Laptop, per_second: int) -> None:
        self._address = urlsplit(stack.url)
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
        assert self._address.hostname
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port)
        path = ""
        due = time.perf_counter()
        while not self._stop.is_set():
            began = time.perf_counter()
            connection.request("GET", path or "/v1/jobs?limit=1")
            answer = connection.getresponse().read()
            if not path:
                start = answer.index(b'"/v1/jobs/') + 1
                path = answer[start : answer.index(b'"', start)].decode()
            self.waits.append(time.perf_counter() - began)
            due = max(due + self._every_s, began)
            time.sleep(max(0.0, due - time.perf_counter()))
        connection.close()


def polled(stack: Laptop, folder: Path, per_second: int) -> Iterator[str]:
    """Lines of the report: jobs with and without polling in turn."""
    catalogue = folder / "polled.csv"
    write_catalogue(catalogue, _ROWS, seed=14)
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
