"""The HTTP API of Spinelabel, as Python calls. The command line is built on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote, urlsplit

import httpx

from .errors import ApiProblem, BadInput, ServerUnreachable
from .http.download import DownloadTarget
from .http.job_document import JobDocument
from .http.label_document import LabelDocument
from .http.label_options import LabelOptions
from .http.poll_interval import PollInterval
from .http.responses import code_of, document_of, raise_problem, what_is_missing
from .http.retry import RetryBudget, retryable
from .local_stack.ports import is_local

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all
OnWaiting = Callable[[Exception], None]  # called before every wait for a server that is away

_PIECE = 256 * 1024
_NO_OPTIONS = LabelOptions()
_KEY_HELD_S = 120.0
_TIMEOUT = httpx.Timeout(30.0, connect=5.0, write=60.0)


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A job, and whether an earlier upload with the same key has made it."""

    job: JobDocument
    repeated: bool


class Client:
    """One server. Use as a context manager, or call `close`.

    Every method raises `ApiProblem` when the server refuses and `ServerUnreachable` when it does not
    answer. Requests that change nothing survive a server that is away for up to `patience_s`.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience_s: float = 60.0,
        on_waiting: OnWaiting = lambda _: None,
    ) -> None:
        self.url = (url if "://" in url else f"http://{url}").rstrip("/")
        host = _host(self.url)
        if host is None:
            raise BadInput(
                f"{url!r} is not the address of a server, such as http://127.0.0.1:8000."
            )
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise BadInput("The API key holds characters that no key has; check --api-key.")
        self._patience_s = patience_s
        self._on_waiting = on_waiting
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=_TIMEOUT,
            # A proxy that is set for the internet cannot reach this machine's own loopback.
            trust_env=not is_local(host),
            event_hooks={"response": [self._heard]},
        )
        self._has_answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def upload(
        self,
        path: Path,
        *,
        filename: str | None = None,
        options: LabelOptions = _NO_OPTIONS,
        key: str | None = None,
        on_bytes: OnBytes = lambda _done, _total: None,
    ) -> Submitted:
        """Submit a catalogue, read from the disk piece by piece. Raises OSError if it cannot be read.

        Args:
            filename: what the catalogue is called at the server; by default as on the disk.
            key: sent with it as its Idempotency-Key. With one, the upload is repeated after a broken connection;
                without, it is not, since the server may have taken the job.
        """
        # A server that died with an upload in its hands holds its key for a while yet.
        seconds = self._patience_s if key is None else max(self._patience_s, _KEY_HELD_S)
        patience = self._patience(seconds)
        while True:
            try:
                answer = self._upload_once(path, filename or path.name, options, key, on_bytes)
            except httpx.TransportError as error:
                # Where nobody has ever answered, the address is more likely wrong than its server away.
                nobody = isinstance(error, httpx.ConnectError) and not self._has_answered
                if key is None or nobody:
                    raise self._unreachable(error) from error
                patience.wait(error)
                continue
            if key is None or not _upload_retryable(answer) or patience.exhausted:
                repeated = answer.headers.get("Idempotency-Replayed") == "true"
                return Submitted(job=JobDocument.of(document_of(answer)), repeated=repeated)
            patience.wait(httpx.ReadError(f"it answered {answer.status_code}"))

    def label(self, summary: str, *, title: str = "", evidence: bool = False) -> LabelDocument:
        """The label of one summary, at once."""
        book = {"title": title, "summary": summary} if title else summary
        question = {"summaries": [book], "evidence": evidence}
        # Asking again changes nothing, so it is as safe as looking.
        answer = self._patiently("POST", "/v1/label", body=question)
        return LabelDocument.of(document_of(answer))

    def job(self, job_id: str) -> JobDocument:
        """The job as it stands."""
        return JobDocument.of(document_of(self._get(_path(job_id))))

    def jobs(self, limit: int = 20) -> list[JobDocument]:
        """The newest jobs, at most `limit`."""
        found: list[JobDocument] = []
        cursor: str | None = None
        while len(found) < limit:
            query = {"limit": str(min(limit - len(found), 100))} | (
                {"after": cursor} if cursor else {}
            )
            page = document_of(self._get("/v1/jobs", query))
            found += [JobDocument.of(job) for job in page["jobs"]]
            cursor = page.get("next")
            if not cursor or not page["jobs"]:
                break
        return found[:limit]

    def follow(self, job_id: str) -> Iterator[JobDocument]:
        """The job again and again, until it has ended; the last one is the ended job."""
        pace = PollInterval()
        while True:
            job = self.job(job_id)
            yield job
            if job.ended:
                return
            pace.wait()

    def model(self) -> dict[str, Any]:
        """What the newest model says of itself."""
        return document_of(self._get("/v1/model"))

    def model_version(self) -> int | None:
        """The newest model's version; None if no worker has told the server of one lately."""
        try:
            return int(self.model()["version"])
        except ApiProblem as problem:
            if problem.code == "MODEL_UNKNOWN":
                return None
            raise

    def cancel(self, job_id: str) -> JobDocument:
        """Ask for the job's end. Asking twice is no error."""
        return JobDocument.of(document_of(self._patiently("POST", f"{_path(job_id)}/cancel")))

    def download(
        self, job_id: str, target: Path, on_bytes: OnBytes = lambda _done, _total: None
    ) -> int:
        """Write the result to `target`; bytes written. `target` changes at the very end, by rename.

        A connection that breaks is taken up where it broke. Raises OSError if it cannot be written.
        """
        patience = self._patience()
        with DownloadTarget(target) as part:
            while not part.complete:
                try:
                    self._download_more(f"{_path(job_id)}/result", part, on_bytes, patience)
                except httpx.TransportError as error:
                    patience.wait(error)
            part.publish()
            return part.written

    def alive(self) -> bool:
        """Whether the API answers at all. Never raises."""
        try:
            return self._http.get("/healthz", timeout=2.0).is_success
        except httpx.HTTPError:
            return False

    def missing(self) -> str | None:
        """What the server still lacks to take work, for a person; None when it is ready. Never raises."""
        try:
            answer = self._http.get("/readyz", timeout=5.0)
        except httpx.HTTPError:
            return "its API does not answer"
        return None if answer.is_success else what_is_missing(answer)

    def _upload_once(
        self,
        path: Path,
        filename: str,
        options: LabelOptions,
        key: str | None,
        on_bytes: OnBytes,
    ) -> httpx.Response:
        with path.open("rb") as catalogue:
            total = os.fstat(catalogue.fileno()).st_size
            headers = {"Content-Type": "text/csv", "Content-Length": str(total)}
            return self._http.post(
                "/v1/jobs",
                params={"filename": _as_unicode(filename)} | options.query(),
                headers=headers | ({"Idempotency-Key": key} if key else {}),
                content=_pieces(catalogue, total, on_bytes),
            )

    def _download_more(
        self, path: str, part: DownloadTarget, on_bytes: OnBytes, patience: RetryBudget
    ) -> None:
        with self._http.stream("GET", path, headers=part.request_headers()) as answer:
            if retryable(answer.status_code) and not patience.exhausted:
                raise httpx.ReadError(f"the server answered {answer.status_code}")
            if answer.is_error and not part.asked_too_much(answer):
                answer.read()
                raise_problem(answer)
            part.begin(answer)
            for piece in answer.iter_raw():
                part.write(piece)
                patience.start_again()
                on_bytes(part.written, part.total or part.written)
            part.end_of_answer()

    def _heard(self, _: httpx.Response) -> None:
        self._has_answered = True

    def _get(self, path: str, query: dict[str, str] | None = None) -> httpx.Response:
        return self._patiently("GET", path, query)

    def _patiently(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> httpx.Response:
        patience = self._patience()
        while True:
            try:
                answer = self._http.request(method, path, params=query, json=body)
                if not retryable(answer.status_code) or patience.exhausted:
                    return answer
                patience.wait(httpx.ReadError(f"it answered {answer.status_code}"))
            except httpx.TransportError as error:
                patience.wait(error)

    def _patience(self, seconds: float | None = None) -> RetryBudget:
        seconds = self._patience_s if seconds is None else seconds
        return RetryBudget(seconds, on_waiting=self._on_waiting, give_up=self._unreachable)

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(f"{self.url} does not answer ({str(error) or repr(error)}).")


def _upload_retryable(answer: httpx.Response) -> bool:
    """Whether the same upload, with the same key, may be taken a little later."""
    if answer.status_code == httpx.codes.CONFLICT:
        return code_of(answer) == "IDEMPOTENCY_KEY_IN_USE"
    # Room for another job comes when one ends, not by itself.
    return retryable(answer.status_code) and code_of(answer) != "TOO_MANY_OPEN_JOBS"


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='', errors='replace')}"


def _pieces(catalogue: IO[bytes], total: int, on_bytes: OnBytes) -> Iterator[bytes]:
    """Exactly `total` bytes of the file, whose size the request has promised."""
    done = 0
    while done < total:
        piece = catalogue.read(min(_PIECE, total - done))
        if not piece:
            raise BadInput(f"{catalogue.name} became shorter while it was being read.")
        done += len(piece)
        yield piece
        on_bytes(done, total)


def _host(url: str) -> str | None:
    """The host of a server's address; None if it is no such address."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # brackets without an IPv6 address in them, a port that is none
        return None
    return (parts.hostname or None) if usable else None


def _as_unicode(filename: str) -> str:
    """The name without bytes that are no UTF-8, which a file from an older system may have."""
    return os.fsencode(filename).decode(errors="replace")
