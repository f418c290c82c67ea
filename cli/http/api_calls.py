"""The API's calls without input and output, shared by `Client` and `AsyncClient`.

Each call is a generator, like `httpx.Auth.auth_flow`: it yields an action, receives the response
(or the transport error) and returns the result. Retries and the reading of responses are here;
sending and sleeping are the client's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx

from ..errors import ApiProblem, BadInput, ServerUnreachable
from ..local_stack.ports import is_local
from .actions import Action, Download, OnBytes, RunBlocking, Send, Sleep, Upload
from .download import DownloadTarget
from .job_document import JobDocument
from .label_document import LabelDocument
from .label_options import LabelOptions
from .responses import code_of, describe_readiness, document_of, raise_problem
from .retry import RetryBudget, is_retryable

Result = TypeVar("Result")
Call = Generator[Action, Any, Result]
OnWaiting = Callable[[Exception], None]  # called before each delay of a retry

_KEY_HELD_S = 120.0
_TIMEOUT = httpx.Timeout(30.0, connect=5.0, write=60.0)


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A job, and whether an earlier upload with the same idempotency key created it."""

    job: JobDocument
    repeated: bool


class ApiCalls:
    """The calls to one server."""

    def __init__(
        self, url: str, *, api_key: str | None, patience_s: float, on_waiting: OnWaiting
    ) -> None:
        """Raises `BadInput` for an address or a key that cannot be used."""
        self.url = (url if "://" in url else f"http://{url}").rstrip("/")
        host = _host(self.url)
        if host is None:
            raise BadInput(
                f"{url!r} is not the address of a server, such as http://127.0.0.1:8000."
            )
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise BadInput("The API key contains characters that no key has; check --api-key.")
        self.has_answered = False  # set by the client with the first response
        self.http_settings: dict[str, Any] = {
            "base_url": self.url,
            "headers": {"Authorization": f"Bearer {api_key}"} if api_key else {},
            "timeout": _TIMEOUT,
            # A proxy that is set for the internet cannot reach this machine's own loopback.
            "trust_env": not is_local(host),
        }
        self._patience_s = patience_s
        self._on_waiting = on_waiting

    def upload(
        self,
        path: Path,
        *,
        filename: str | None,
        options: LabelOptions,
        key: str | None,
        on_bytes: OnBytes,
    ) -> Call[Submitted]:
        """See `Client.upload`."""
        # A server that was killed during an upload holds its key for some time.
        budget = self._budget(
            self._patience_s if key is None else max(self._patience_s, _KEY_HELD_S)
        )
        action = Upload(
            path="/v1/jobs",
            file=path,
            query={"filename": _as_unicode(filename or path.name)} | options.query(),
            headers={"Content-Type": "text/csv"} | ({"Idempotency-Key": key} if key else {}),
            on_bytes=on_bytes,
        )
        while True:
            try:
                response = yield action
            except httpx.TransportError as error:
                # A server that has never answered is more likely misspelt than restarting.
                misspelt = isinstance(error, httpx.ConnectError) and not self.has_answered
                if key is None or misspelt:
                    raise self._unreachable(error) from error
                yield Sleep(seconds=budget.next_delay_s(error))
                continue
            if key is None or not _is_upload_retryable(response) or budget.exhausted:
                repeated = response.headers.get("Idempotency-Replayed") == "true"
                return Submitted(job=JobDocument.of(document_of(response)), repeated=repeated)
            yield Sleep(seconds=budget.next_delay_s(_status_error(response)))

    def label(self, summary: str, *, title: str, evidence: bool) -> Call[LabelDocument]:
        """See `Client.label`."""
        book = {"title": title, "summary": summary} if title else summary
        # Repeating it has no effect, so it is retried like a GET.
        request = Send(
            method="POST", path="/v1/label", json={"summaries": [book], "evidence": evidence}
        )
        response = yield from self._send(request)
        return LabelDocument.of(document_of(response))

    def job(self, job_id: str) -> Call[JobDocument]:
        """See `Client.job`."""
        response = yield from self._send(Send(method="GET", path=_job_path(job_id)))
        return JobDocument.of(document_of(response))

    def jobs(self, limit: int) -> Call[list[JobDocument]]:
        """See `Client.jobs`."""
        jobs: list[JobDocument] = []
        cursor: str | None = None
        while len(jobs) < limit:
            query = {"limit": str(min(limit - len(jobs), 100))}
            query |= {"after": cursor} if cursor else {}
            response = yield from self._send(Send(method="GET", path="/v1/jobs", query=query))
            page = document_of(response)
            jobs += [JobDocument.of(job) for job in page["jobs"]]
            cursor = page.get("next")
            if not cursor or not page["jobs"]:
                break
        return jobs[:limit]

    def model(self) -> Call[dict[str, Any]]:
        """See `Client.model`."""
        response = yield from self._send(Send(method="GET", path="/v1/model"))
        return document_of(response)

    def model_version(self) -> Call[int | None]:
        """See `Client.model_version`."""
        try:
            model = yield from self.model()
        except ApiProblem as problem:
            if problem.code == "MODEL_UNKNOWN":
                return None
            raise
        return int(model["version"])

    def cancel(self, job_id: str) -> Call[JobDocument]:
        """See `Client.cancel`."""
        request = Send(method="POST", path=f"{_job_path(job_id)}/cancel")
        response = yield from self._send(request)
        return JobDocument.of(document_of(response))

    def download(self, job_id: str, target: Path, on_bytes: OnBytes) -> Call[int]:
        """See `Client.download`."""
        budget = self._budget()
        with DownloadTarget(target) as part:
            action = Download(
                path=f"{_job_path(job_id)}/result",
                target=part,
                on_bytes=on_bytes,
                on_progress=budget.reset,
            )
            while not part.complete:
                try:
                    response = yield action
                except httpx.TransportError as error:
                    yield Sleep(seconds=budget.next_delay_s(error))
                    continue
                if not part.accepts(response):
                    if not is_retryable(response.status_code) or budget.exhausted:
                        raise_problem(response)
                    yield Sleep(seconds=budget.next_delay_s(_status_error(response)))
            yield RunBlocking(function=part.publish)
            return part.written

    def alive(self) -> Call[bool]:
        """See `Client.alive`."""
        try:
            response = yield Send(method="GET", path="/healthz", timeout_s=2.0)
        except httpx.HTTPError:
            return False
        return bool(response.is_success)

    def not_ready_reason(self) -> Call[str | None]:
        """See `Client.not_ready_reason`."""
        try:
            response = yield Send(method="GET", path="/readyz", timeout_s=5.0)
        except httpx.HTTPError:
            return "its API does not answer"
        return None if response.is_success else describe_readiness(response)

    def _send(self, action: Send) -> Call[httpx.Response]:
        """Send a request that may be repeated, within the retry budget."""
        budget = self._budget()
        while True:
            try:
                response: httpx.Response = yield action
            except httpx.TransportError as error:
                yield Sleep(seconds=budget.next_delay_s(error))
                continue
            if not is_retryable(response.status_code) or budget.exhausted:
                return response
            yield Sleep(seconds=budget.next_delay_s(_status_error(response)))

    def _budget(self, seconds: float | None = None) -> RetryBudget:
        return RetryBudget(
            self._patience_s if seconds is None else seconds,
            on_waiting=self._on_waiting,
            to_final_error=self._unreachable,
        )

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(f"{self.url} does not answer ({str(error) or repr(error)}).")


def _is_upload_retryable(response: httpx.Response) -> bool:
    """Whether the same upload, with the same key, may be accepted a little later."""
    if response.status_code == httpx.codes.CONFLICT:
        return code_of(response) == "IDEMPOTENCY_KEY_IN_USE"
    # Another job is accepted when one ends, which takes longer than a retry.
    return is_retryable(response.status_code) and code_of(response) != "TOO_MANY_OPEN_JOBS"


def _status_error(response: httpx.Response) -> httpx.TransportError:
    return httpx.ReadError(f"it answered {response.status_code}")


def _job_path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='', errors='replace')}"


def _host(url: str) -> str | None:
    """The host of a server's address; None if it is not one."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # brackets without an IPv6 address, a port that is not a number
        return None
    return (parts.hostname or None) if usable else None


def _as_unicode(filename: str) -> str:
    """The name with U+FFFD for bytes that are not UTF-8, which files of older systems may have."""
    return os.fsencode(filename).decode(errors="replace")
