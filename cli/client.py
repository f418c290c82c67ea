"""The HTTP API of Spinelabel, as Python calls. The command line is built on it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote, urlsplit

import httpx

from cli.answers import document_of, raise_problem, what_is_missing
from cli.download import DownloadTarget
from cli.errors import BadInput, ServerUnreachable
from cli.job_document import JobDocument
from cli.label_document import LabelDocument
from cli.patience import Patience, retryable
from cli.ports import is_local

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all
OnWaiting = Callable[[Exception], None]  # called before every wait for a server that is away

_PIECE = 256 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0, write=60.0)
# The first answers come quickly, so that a small catalogue is not waited for; later ones need not.
_FIRST_LOOKS_S, _LATER_LOOKS_S, _SETTLED_S = 0.2, 1.0, 20.0


class ApiClient:
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
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
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
            trust_env=not is_local(parts.hostname),
        )

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
        summary_column: str | None = None,
        evidence: bool = False,
        on_bytes: OnBytes = lambda _done, _total: None,
    ) -> JobDocument:
        """Submit a catalogue, read from the disk piece by piece. Raises OSError if it cannot be read.

        Not repeated after a broken connection: the server may have taken the job.
        """
        query = {"filename": path.name}
        if summary_column is not None:
            query["summary_column"] = summary_column
        if evidence:
            query["evidence"] = "true"
        with path.open("rb") as catalogue:
            total = os.fstat(catalogue.fileno()).st_size
            headers = {"Content-Type": "text/csv", "Content-Length": str(total)}
            try:
                answer = self._http.post(
                    "/v1/jobs",
                    params=query,
                    headers=headers,
                    content=_pieces(catalogue, total, on_bytes),
                )
            except httpx.TransportError as error:
                raise self._unreachable(error) from error
        return JobDocument.of(document_of(answer))

    def label(self, summary: str, *, evidence: bool = False) -> LabelDocument:
        """The label of one summary, at once."""
        question = {"summaries": [summary], "evidence": evidence}
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
        began = time.monotonic()
        while True:
            job = self.job(job_id)
            yield job
            if job.ended:
                return
            settled = min((time.monotonic() - began) / _SETTLED_S, 1.0)
            time.sleep(_FIRST_LOOKS_S + (_LATER_LOOKS_S - _FIRST_LOOKS_S) * settled)

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

    def _download_more(
        self, path: str, part: DownloadTarget, on_bytes: OnBytes, patience: Patience
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

    def _patience(self) -> Patience:
        return Patience(self._patience_s, on_waiting=self._on_waiting, give_up=self._unreachable)

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(f"{self.url} does not answer ({str(error) or repr(error)}).")


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


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
