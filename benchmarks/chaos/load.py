"""Patient clients that keep jobs running all the time, and check each one when it has ended."""

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
    Verdict,
    check_cancelled,
    check_counts,
    check_ended,
    check_reference,
)
from benchmarks.local_stack import Laptop
from jobs.files.storage import job_folder

_POLL_S = 0.1
_STALE_S = 60.0
_KEPT = frozenset({"input", "result.csv", "errors.csv"})
_JOB_S = 600.0
_CANCELLED_SHARE = 0.08


class Clients:
    """Threads that submit, poll, download and check until they are told to stop; then they finish what they began."""

    def __init__(self, stack: Laptop, catalogues: Sequence[Catalogue], seed: int) -> None:
        self.violations: list[str] = []
        self.jobs: Counter[str] = Counter()  # by terminal state
        self.answers: Counter[int] = Counter()  # refused requests by status
        self.lost_rows = self.wrong_rows = self.rows = 0
        self.undisturbed: dict[str, bytes] = {}
        self._stack = stack
        self._catalogues = catalogues
        self._seed = seed
        self._of_job: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def result_size(self, job_id: str) -> int | None:
        """Bytes of the job's undisturbed result; None if the job may end in another way."""
        name = self._of_job.get(job_id)
        return len(self.undisturbed[name]) if name else None

    def learn(self) -> None:
        """Run every catalogue once, undisturbed: what all later results are compared with."""
        for catalogue in self._catalogues:
            with self._stack.client() as http:
                job_id = self._submit(http, catalogue)
                document = self._wait(http, job_id)
                result = http.get(f"/v1/jobs/{job_id}/result").content
                self.delete(http, job_id)
            self.undisturbed[catalogue.name] = result
            verdict = check_ended(document, result, catalogue, result)
            self.violations += [*verdict.violations, *check_reference(catalogue, result)]

    @contextlib.contextmanager
    def at_work(self, number: int) -> Iterator[None]:
        """`number` jobs under way for the length of the block; on its end all of them have ended."""
        threads = [
            threading.Thread(target=self._keep_running, args=(n,), name=f"client-{n}")
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

    def _keep_running(self, number: int) -> None:
        random_ = random.Random(f"{self._seed}/{number}")
        order = itertools.cycle(self._catalogues[number % 2 :] + self._catalogues[: number % 2])  # type: ignore[operator]  # lists
        while not self._stopping.is_set():
            catalogue = next(order)
            try:
                with self._stack.client() as http:
                    self._one_job(http, catalogue, random_)
            except (
                Exception
            ) as error:  # a client must not end before its time, and nothing may be hidden
                self._blame(f"{catalogue.name}: the client gave up: {error!r}")

    def _one_job(self, http: httpx.Client, catalogue: Catalogue, random_: random.Random) -> None:
        cancel = random_.random() < _CANCELLED_SHARE
        job_id = self._submit(http, catalogue)
        if cancel:
            time.sleep(random_.uniform(0, 3))
            self._insist(http, "POST", f"/v1/jobs/{job_id}/cancel")
        else:
            self._of_job[job_id] = catalogue.name
        document = self._wait(http, job_id)
        result = self._insist(http, "GET", f"/v1/jobs/{job_id}/result").content
        check = check_cancelled if cancel else check_ended
        verdict = check(document, result, catalogue, self.undisturbed[catalogue.name])
        self._count(job_id, document, catalogue, verdict)
        for name in self._strange_files(job_id):
            self._blame(f"{job_id}: {name} is left in the folder of a job that has ended")
        self.delete(http, job_id)

    def _strange_files(self, job_id: str) -> list[str]:
        """What an ended job has no use for. A stale worker may need a moment to remove what it wrote in vain."""
        folder = self._stack.storage / job_folder(job_id)
        deadline = time.monotonic() + _STALE_S
        while True:
            names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
            strange = sorted(names - _KEPT)
            if not strange or time.monotonic() > deadline:
                return strange
            time.sleep(_POLL_S)

    def delete(self, http: httpx.Client, job_id: str) -> None:
        """Delete a job that has ended, so that the small disk never fills by itself."""
        self._of_job.pop(job_id, None)
        # The first answer may have been lost with its connection.
        self._insist(http, "DELETE", f"/v1/jobs/{job_id}", fine=(404,))

    def _count(
        self, job_id: str, document: Mapping[str, Any], catalogue: Catalogue, verdict: Verdict
    ) -> None:
        with self._lock:
            self.jobs[document["state"]] += 1
            self.rows += len(catalogue.rows)
            self.lost_rows += verdict.lost_rows
            self.wrong_rows += verdict.wrong_rows
        for violation in verdict.violations:
            self._blame(f"{job_id} ({catalogue.name}): {violation}")

    def _submit(self, http: httpx.Client, catalogue: Catalogue) -> str:
        answer = self._insist(
            http, "POST", "/v1/jobs", content=catalogue.content,
            params={"filename": f"{catalogue.name}.csv"}, headers={"Content-Type": "text/csv"},
        )  # fmt: skip
        return str(answer.json()["id"])

    def _wait(self, http: httpx.Client, job_id: str) -> Mapping[str, Any]:
        deadline = time.monotonic() + _JOB_S
        while time.monotonic() < deadline:
            document: Mapping[str, Any] = self._insist(http, "GET", f"/v1/jobs/{job_id}").json()
            for violation in check_counts(document):
                self._blame(f"{job_id}: {violation}")
            if document["state"] in TERMINAL:
                return document
            early = http_or_none(http, f"/v1/jobs/{job_id}/result")
            if early is not None and early.status_code == 200:
                # It may have ended between the two requests; then it says so now.
                now: Mapping[str, Any] = self._insist(http, "GET", f"/v1/jobs/{job_id}").json()
                if now["state"] not in TERMINAL:
                    self._blame(f"{job_id}: a result is served while the job is {now['state']}")
            time.sleep(_POLL_S)
        raise TimeoutError(f"{job_id} did not end within {_JOB_S:.0f} s: {document}")

    def _insist(
        self,
        http: httpx.Client,
        method: str,
        path: str,
        *,
        fine: tuple[int, ...] = (),
        **options: Any,
    ) -> httpx.Response:
        """The first answer that is neither a refusal for the time being nor a broken connection."""
        deadline = time.monotonic() + _JOB_S
        while True:
            try:
                answer = http.request(method, path, **options)
                if answer.status_code < 400 or answer.status_code in fine:
                    return answer
                with self._lock:
                    self.answers[answer.status_code] += 1
                if answer.status_code not in (503, 507):
                    raise AssertionError(
                        f"{method} {path}: {answer.status_code} {answer.text[:300]}"
                    )
            except httpx.TransportError:
                self._stack.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{method} {path} got no answer for {_JOB_S:.0f} s")
            time.sleep(_POLL_S)

    def _blame(self, violation: str) -> None:
        with self._lock:
            self.violations.append(violation)


def http_or_none(http: httpx.Client, path: str) -> httpx.Response | None:
    """The answer; None when the connection breaks."""
    try:
        return http.get(path)
    except httpx.TransportError:
        return None
