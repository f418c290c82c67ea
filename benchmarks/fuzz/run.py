"""One fuzz run: a stack, and clients that upload hostile catalogues and check the results."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.fuzz.checks import check_ended, check_jsonl, check_refusal
from benchmarks.fuzz.corpus import Case, make_case
from benchmarks.local_stack import PROCESS_KINDS, LocalStack, build_tiny_model, running_stack

CLIENTS = 6
_BATCH = 200
_MAX_EXPORT_INPUT_BYTES = 100_000
_JOB_TIMEOUT_S = 600.0
_TERMINAL = ("completed", "failed", "cancelled", "expired")
_MAX_VIOLATIONS = 40


@dataclass
class Report:
    """The results of a run."""

    refused: Counter[str] = field(default_factory=Counter)  # uploads by kind
    accepted: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def uploads(self) -> int:
        """Number of catalogues that were sent."""
        return self.refused.total() + self.accepted.total()


class FuzzClient:
    """Sends cases to one stack. Thread-safe."""

    def __init__(self, stack: LocalStack) -> None:
        self.report = Report()
        self._stack = stack
        self._lock = threading.Lock()
        self._local = threading.local()

    def send(self, case: Case) -> None:
        """Upload one catalogue, wait for its job, check and delete it. Errors become violations."""
        try:
            violations = self._send(case)
        except Exception as error:  # an error is a violation; the run continues
            violations = [f"{error!r:.300}"]
        with self._lock:
            self.report.violations += [f"case {case.number} ({case.kind}): {v}" for v in violations]

    def _send(self, case: Case) -> list[str]:
        http = self._client()
        if case.form:
            response = http.post("/v1/jobs", files={"file": (case.filename or "x", case.content)})
        else:
            response = http.post(
                "/v1/jobs", content=case.content, params={"filename": case.filename},
                headers={"Content-Type": "text/csv"},
            )  # fmt: skip
        body = response.json()
        if response.status_code != 202:
            with self._lock:
                self.report.refused[case.kind] += 1
                self.report.codes[str(body.get("code"))] += 1
            return check_refusal(case, response.status_code, response.headers["content-type"], body)
        document = self._wait(http, body["id"])
        path = f"/v1/jobs/{body['id']}"
        result, errors = http.get(f"{path}/result"), http.get(f"{path}/errors")
        if (result.status_code, errors.status_code) != (200, 200):
            return [f"{document['state']}, but the result has status {result.status_code}"]
        rows, violations = check_ended(case, document, result.content, errors.content)
        if document["state"] == "completed" and len(case.content) < _MAX_EXPORT_INPUT_BYTES:
            exported = http.get(f"{path}/result", params={"format": "jsonl"})
            violations += check_jsonl(document, exported.content)
        deleted = http.delete(path)
        if deleted.status_code != 204:
            violations.append(f"the deletion has status {deleted.status_code}")
        with self._lock:
            self.report.accepted[case.kind] += 1
            self.report.states[document["state"]] += 1
            self.report.rows += rows
        return violations

    def _wait(self, http: httpx.Client, job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + _JOB_TIMEOUT_S
        pause = 0.03
        while time.monotonic() < deadline:
            response = http.get(f"/v1/jobs/{job_id}")
            response.raise_for_status()
            document: dict[str, Any] = response.json()
            if document["state"] in _TERMINAL:
                return document
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)
        raise TimeoutError(f"{job_id} did not end: {document}")

    def _client(self) -> httpx.Client:
        if not hasattr(self._local, "http"):
            self._local.http = self._stack.client(timeout_s=120)
        client: httpx.Client = self._local.http
        return client


def run(
    *, catalogues: int, seed: int, model_root: Path | None, first: int = 0,
    max_seconds: float | None = None, keep: Path | None = None,
) -> Report:  # fmt: skip
    """Send the catalogues `first` … of a seed, in batches, until `max_seconds` or 40 violations."""
    with tempfile.TemporaryDirectory(prefix="spinelabel-fuzz-") as temporary:
        folder = keep or Path(temporary)
        models = model_root or build_tiny_model(folder / "models")
        with running_stack(folder / "data", model_root=models, settings={}) as stack:
            return _send_all(stack, range(first, first + catalogues), seed, max_seconds)


def _send_all(stack: LocalStack, numbers: range, seed: int, max_seconds: float | None) -> Report:
    client = FuzzClient(stack)
    report = client.report
    started = time.monotonic()
    pids = processes(stack)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for start in range(numbers.start, numbers.stop, _BATCH):
            batch = range(start, min(start + _BATCH, numbers.stop))
            for _ in pool.map(lambda n: client.send(make_case(n, seed)), batch):
                pass
            # All jobs have been deleted by now.
            report.violations += [f"left over: {name}" for name in leftover_files(stack.storage)]
            if (now := processes(stack)) != pids:
                report.violations.append(f"processes were replaced: {pids}, now {now}")
                pids = now
            report.violations += tracebacks(stack, report.violations)
            report.seconds = time.monotonic() - started
            print(
                f"{report.uploads} catalogues in {report.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            if len(report.violations) > _MAX_VIOLATIONS:
                break
            if max_seconds is not None and report.seconds > max_seconds:
                break
    return report


def processes(stack: LocalStack) -> dict[str, int]:
    """Process ids of the stack by kind."""
    pids = {f"pool {n}": child.pid for n, child in enumerate(stack.pool())}
    for kind in PROCESS_KINDS:
        process = stack.main_process(kind)
        pids[kind] = process.pid if process else 0
    return pids


def leftover_files(storage: Path) -> list[str]:
    """Files below the storage folder."""
    return sorted(str(path.relative_to(storage)) for path in storage.rglob("*") if path.is_file())


def tracebacks(stack: LocalStack, known: list[str]) -> list[str]:
    """New violations for tracebacks in the logs of the processes."""
    violations = []
    for name in ("worker", "api", "serving"):
        log = (stack.data_dir / "logs" / f"{name}.log").read_text(errors="replace")
        count = log.count("Traceback (most recent call last)")
        violation = f"{name} logged {count} tracebacks"
        if count and violation not in known:
            violations.append(violation)
    return violations
