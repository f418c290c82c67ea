"""Clients that keep jobs running, repeat refused requests, and check each job at its end."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from benchmarks.chaos.catalogues import Catalogue
from benchmarks.chaos.invariants import (
    TERMINAL,
    CheckResult,
    check_cancelled,
    check_counts,
    check_ended,
    check_reference,
)
from benchmarks.local_stack import LocalStack
from jobs.files.storage import job_folder

_POLL_S = 0.1
_CLEANUP_TIMEOUT_S = 60.0
_EXPECTED_FILES = frozenset({"input", "result.csv", "errors.csv"})
_JOB_TIMEOUT_S = 600.0
_CANCELLED_SHARE = 0.08


class LoadClients:
    """Threads that submit, poll, download and check jobs; on stop they finish the current ones."""

    def __init__(self, stack: LocalStack, catalogues: Sequence[Catalogue], seed: int) -> None:
        self.violations: list[str] = []
        self.jobs: Counter[str] = Counter()  # by terminal state
        self.refused: Counter[int] = Counter()  # requests by status
        self.lost_rows = self.wrong_rows = self.rows = 0
        self.references: dict[str, bytes] = {}
        self._stack = stack
        self._catalogues = catalogues
        self._seed = seed
        self._catalogue_of_job: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def result_size(self, job_id: str) -> int | None:
        """Size of the job's reference result in bytes; None if the job may be cancelled."""
        name = self._catalogue_of_job.get(job_id)
        return len(self.references[name]) if name else None

    def record_references(self) -> None:
        """Label every catalogue once without faults; later results are compared with these."""
        for catalogue in self._catalogues:
            with self._stack.client() as http:
                job_id = self._submit(http, catalogue)
                document = self._wait(http, job_id)
                result = http.get(f"/v1/jobs/{job_id}/result").content
                self.delete(http, job_id)
            self.references[catalogue.name] = result
            checked = check_ended(document, result, catalogue, result)
            self.violations += [*checked.violations, *check_reference(catalogue, result)]

    @contextlib.contextmanager
    def running(self, number: int) -> Iterator[None]:
        """Keep `number` jobs running during the block; at its end all jobs have ended."""
        threads = [
            threading.Thread(target=self._submit_jobs, args=(n,), name=f"client-{n}")
            for n in range(number)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def _submit_jobs(self, number: int) -> None:
        random_ = random.Random(f"{self._seed}/{number}")
        first = number % 2
        order = itertools.cycle([*self._catalogues[first:], *self._catalogues[:first]])
        while not self._stopping.is_set():
            catalogue = next(order)
            try:
                with self._stack.client() as http:
                    self._one_job(http, catalogue, random_)
            except Exception as error:  # an error is a violation; the client continues
                self._report(f"{catalogue.name}: {error!r}")

    def _one_job(self, http: httpx.Client, catalogue: Catalogue, random_: random.Random) -> None:
        cancel = random_.random() < _CANCELLED_SHARE
        job_id = self._submit(http, catalogue)
        if cancel:
            time.sleep(random_.uniform(0, 3))
            self._request(http, "POST", f"/v1/jobs/{job_id}/cancel")
        else:
            self._catalogue_of_job[job_id] = catalogue.name
        document = self._wait(http, job_id)
        result = self._request(http, "GET", f"/v1/jobs/{job_id}/result").content
        check = check_cancelled if cancel else check_ended
        checked = check(document, result, catalogue, self.references[catalogue.name])
        self._count(job_id, document, catalogue, checked)
        for name in self._unexpected_files(job_id):
            self._report(f"{job_id}: the folder of the ended job still has {name}")
        self.delete(http, job_id)

    def _unexpected_files(self, job_id: str) -> list[str]:
        """Files other than input and results. A stale worker may take time to remove its output."""
        folder = self._stack.storage / job_folder(job_id)
        deadline = time.monotonic() + _CLEANUP_TIMEOUT_S
        while True:
            names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
            unexpected = sorted(names - _EXPECTED_FILES)
            if not unexpected or time.monotonic() > deadline:
                return unexpected
            time.sleep(_POLL_S)

    def delete(self, http: httpx.Client, job_id: str) -> None:
        """Delete an ended job, so that the small disk does not fill up."""
        self._catalogue_of_job.pop(job_id, None)
        # 404: the response to the first request may have been lost.
        self._request(http, "DELETE", f"/v1/jobs/{job_id}", accepted=(404,))

    def _count(
        self, job_id: str, document: Mapping[str, Any], catalogue: Catalogue, checked: CheckResult
    ) -> None:
        with self._lock:
            self.jobs[document["state"]] += 1
            self.rows += len(catalogue.rows)
            self.lost_rows += checked.lost_rows
            self.wrong_rows += checked.wrong_rows
        for violation in checked.violations:
            self._report(f"{job_id} ({catalogue.name}): {violation}")

    def _submit(self, http: httpx.Client, catalogue: Catalogue) -> str:
        response = self._request(
            http, "POST", "/v1/jobs", content=catalogue.content,
            params={"filename": f"{catalogue.name}.csv"}, headers={"Content-Type": "text/csv"},
        )  # fmt: skip
        return str(response.json()["id"])

    def _wait(self, http: httpx.Client, job_id: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _JOB_TIMEOUT_S
        while time.monotonic() < deadline:
            document: Mapping[str, Any] = self._request(http, "GET", f"/v1/jobs/{job_id}").json()
            for violation in check_counts(document):
                self._report(f"{job_id}: {violation}")
            if document["state"] in TERMINAL:
                return document
            result = http_or_none(http, f"/v1/jobs/{job_id}/result")
            if result is not None and result.status_code == 200:
                # It may have ended between the two requests.
                now: Mapping[str, Any] = self._request(http, "GET", f"/v1/jobs/{job_id}").json()
                if now["state"] not in TERMINAL:
                    self._report(f"{job_id}: a result is served while the job is {now['state']}")
            time.sleep(_POLL_S)
        raise TimeoutError(f"{job_id} did not end within {_JOB_TIMEOUT_S:.0f} s: {document}")

    def _request(
        self,
        http: httpx.Client,
        method: str,
        path: str,
        *,
        accepted: tuple[int, ...] = (),
        **options: Any,
    ) -> httpx.Response:
        """Repeat the request after 503, 507 and broken connections; return another response."""
        deadline = time.monotonic() + _JOB_TIMEOUT_S
        while True:
            try:
                response = http.request(method, path, **options)
                if response.status_code < 400 or response.status_code in accepted:
                    return response
                with self._lock:
                    self.refused[response.status_code] += 1
                if response.status_code not in (503, 507):
                    raise AssertionError(
                        f"{method} {path}: {response.status_code} {response.text[:300]}"
                    )
            except httpx.TransportError:
                self._stack.check()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{method} {path} had no successful response for {_JOB_TIMEOUT_S:.0f} s"
                )
            time.sleep(_POLL_S)

    def _report(self, violation: str) -> None:
        with self._lock:
            self.violations.append(violation)


def http_or_none(http: httpx.Client, path: str) -> httpx.Response | None:
    """The response; None if the connection breaks."""
    try:
        return http.get(path)
    except httpx.TransportError:
        return None
