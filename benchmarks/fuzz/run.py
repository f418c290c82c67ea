"""One fuzz run: a stack, and clients that upload hostile catalogues and check what comes back."""

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
from benchmarks.local_stack import KINDS, Laptop, build_tiny_model, laptop

CLIENTS = 6
_BATCH = 200
_EXPORTED_BYTES = 100_000
_JOB_S = 600.0
_TERMINAL = ("completed", "failed", "cancelled", "expired")
_MOST_VIOLATIONS = 40


@dataclass
class Outcome:
    """What a run found."""

    refused: Counter[str] = field(default_factory=Counter)  # uploads by kind
    accepted: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def uploads(self) -> int:
        """How many catalogues were sent."""
        return self.refused.total() + self.accepted.total()


class Fuzz:
    """Sends cases to one stack; safe to use from several threads."""

    def __init__(self, stack: Laptop) -> None:
        self.outcome = Outcome()
        self._stack = stack
        self._lock = threading.Lock()
        self._local = threading.local()

    def send(self, case: Case) -> None:
        """Upload one catalogue, wait for its job, check and delete it. Never raises: what goes wrong is noted."""
        try:
            wrong = self._send(case)
        except Exception as error:  # the run goes on; this is a finding
            wrong = [f"{error!r:.300}"]
        with self._lock:
            self.outcome.violations += [f"case {case.number} ({case.kind}): {w}" for w in wrong]

    def _send(self, case: Case) -> list[str]:
        http = self._client()
        if case.form:
            answer = http.post("/v1/jobs", files={"file": (case.filename or "x", case.content)})
        else:
            answer = http.post(
                "/v1/jobs", content=case.content, params={"filename": case.filename},
                headers={"Content-Type": "text/csv"},
            )  # fmt: skip
        body = answer.json()
        if answer.status_code != 202:
            with self._lock:
                self.outcome.refused[case.kind] += 1
                self.outcome.codes[str(body.get("code"))] += 1
            return check_refusal(case, answer.status_code, answer.headers["content-type"], body)
        document = self._wait(http, body["id"])
        path = f"/v1/jobs/{body['id']}"
        result, errors = http.get(f"{path}/result"), http.get(f"{path}/errors")
        if (result.status_code, errors.status_code) != (200, 200):
            return [f"{document['state']}, but the result answers {result.status_code}"]
        rows, wrong = check_ended(case, document, result.content, errors.content)
        if document["state"] == "completed" and len(case.content) < _EXPORTED_BYTES:
            exported = http.get(f"{path}/result", params={"format": "jsonl"})
            wrong += check_jsonl(document, exported.content)
        deleted = http.delete(path)
        if deleted.status_code != 204:
            wrong.append(f"deleting answers {deleted.status_code}")
        with self._lock:
            self.outcome.accepted[case.kind] += 1
            self.outcome.states[document["state"]] += 1
            self.outcome.rows += rows
        return wrong

    def _wait(self, http: httpx.Client, job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + _JOB_S
        pause = 0.03
        while time.monotonic() < deadline:
            answer = http.get(f"/v1/jobs/{job_id}")
            answer.raise_for_status()
            document: dict[str, Any] = answer.json()
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
    most_seconds: float | None = None, keep: Path | None = None,
) -> Outcome:  # fmt: skip
    """Send the catalogues `first` … of a seed, in batches; ends early after `most_seconds` or many violations."""
    with tempfile.TemporaryDirectory(prefix="spinelabel-fuzz-") as temporary:
        folder = keep or Path(temporary)
        models = model_root or build_tiny_model(folder / "models")
        with laptop(folder / "data", model_root=models, settings={}) as stack:
            return _send_all(stack, range(first, first + catalogues), seed, most_seconds)


def _send_all(stack: Laptop, numbers: range, seed: int, most_seconds: float | None) -> Outcome:
    fuzz = Fuzz(stack)
    outcome = fuzz.outcome
    began = time.monotonic()
    alive = processes(stack)
    with ThreadPoolExecutor(CLIENTS) as pool:
        for start in range(numbers.start, numbers.stop, _BATCH):
            batch = range(start, min(start + _BATCH, numbers.stop))
            for _ in pool.map(lambda n: fuzz.send(make_case(n, seed)), batch):
                pass
            # Every job has ended and has been deleted by now.
            outcome.violations += [f"left over: {name}" for name in left_over(stack.storage)]
            if (now := processes(stack)) != alive:
                outcome.violations.append(f"processes died: {alive} became {now}")
                alive = now
            outcome.violations += tracebacks(stack, outcome.violations)
            outcome.seconds = time.monotonic() - began
            print(f"{outcome.uploads} in {outcome.seconds:.0f} s", file=sys.stderr, flush=True)
            if len(outcome.violations) > _MOST_VIOLATIONS:
                break
            if most_seconds is not None and outcome.seconds > most_seconds:
                break
    return outcome


def processes(stack: Laptop) -> dict[str, int]:
    """Ids of all processes of the stack by their place."""
    found = {f"pool {n}": child.pid for n, child in enumerate(stack.pool())}
    for kind in KINDS:
        process = stack.main_process(kind)
        found[kind] = process.pid if process else 0
    return found


def left_over(storage: Path) -> list[str]:
    """Files below the storage folder."""
    return sorted(str(path.relative_to(storage)) for path in storage.rglob("*") if path.is_file())


def tracebacks(stack: Laptop, known: list[str]) -> list[str]:
    """What the processes logged as unexpected, each kind once."""
    found = []
    for name in ("worker", "api", "serving"):
        log = (stack.data_dir / "logs" / f"{name}.log").read_text(errors="replace")
        count = log.count("Traceback (most recent call last)")
        said = f"{name} logged {count} tracebacks"
        if count and said not in known:
            found.append(said)
    return found
