"""From a catalogue on this machine to the labelled catalogue beside it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cli.client import ApiClient
from cli.connect import Server, server_for_command
from cli.display import Display
from cli.errors import BadInput, JobEnded, SpinelabelError
from cli.job_document import JobDocument
from cli.laptop import LaptopSettings


@dataclass(frozen=True, kw_only=True)
class LabelRequest:
    """What to label, and where the answer goes."""

    source: Path
    target: Path
    laptop: LaptopSettings
    summary_column: str | None = None
    evidence: bool = False
    server: str | None = None
    api_key: str | None = None


def default_target(source: Path) -> Path:
    """`NAME.labelled.csv` beside the input."""
    return source.parent / f"{source.stem}.labelled.csv"


def label_file(request: LabelRequest, display: Display) -> JobDocument:
    """Upload, follow, download; the completed job. The target changes at the very end, or not at all.

    Raises `BadInput` before anything is started if source or target cannot be used, `JobEnded` if the
    job ends without being completed, and whatever the client and the stack raise.
    """
    _check_files(request.source, request.target)
    with server_for_command(request.server, request.laptop, display) as server:
        waiting = _Waiting(server, display)
        with ApiClient(server.url, api_key=request.api_key, on_waiting=waiting) as client:
            job = _upload(request, client, display)
            try:
                return _finish(job, client, request.target, display)
            except KeyboardInterrupt:
                _say_goodbye(job, client, server, request, display)
                raise
            except JobEnded as error:
                raise JobEnded(f"{error}{_rest_of(job, client, server, request)}") from error


def _upload(request: LabelRequest, client: ApiClient, display: Display) -> JobDocument:
    try:
        return client.upload(
            request.source,
            summary_column=request.summary_column,
            evidence=request.evidence,
            on_bytes=lambda done, total: display.moved("uploading", done, total),
        )
    except OSError as error:
        raise BadInput(f"{request.source} cannot be read: {error.strerror}.") from error


def _finish(job: JobDocument, client: ApiClient, target: Path, display: Display) -> JobDocument:
    for current in client.follow(job.id):
        job = current
        display.job(job)
    if job.ended_badly:
        raise JobEnded(f"The job {job.id} {_ended(job)}.")
    try:
        client.download(
            job.id, target, lambda done, total: display.moved("downloading", done, total)
        )
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}.") from error
    return job


def _ended(job: JobDocument) -> str:
    words = {"failed": "failed", "cancelled": "was cancelled", "expired": "expired"}
    reason = f": {job.error.rstrip('.')}" if job.error else ""
    return f"{words[job.state]}{reason}"


def _rest_of(job: JobDocument, client: ApiClient, server: Server, request: LabelRequest) -> str:
    """How to get at what was finished, if there is something."""
    with suppress(SpinelabelError):
        if client.job(job.id).has_result:
            first = (
                f"`spinelabel up --data-dir {request.laptop.data_dir}`, then "
                if server.temporary
                else ""
            )
            return f" What was finished is kept: {first}`spinelabel download {job.id}`."
    return ""


def _say_goodbye(
    job: JobDocument,
    client: ApiClient,
    server: Server,
    request: LabelRequest,
    display: Display,
) -> None:
    """After Ctrl-C: the job goes on where the server does, and ends where the server ends."""
    if server.temporary:
        with suppress(SpinelabelError):
            client.cancel(job.id)
        display.note(f"Interrupted: the job {job.id} is cancelled, since its server ends here.")
        return
    there = f"--server {server.url}"
    display.note(
        f"Interrupted here; the job {job.id} goes on at {server.url}.\n"
        f"  how it stands:  spinelabel status {job.id} {there}\n"
        f"  its result:     spinelabel download {job.id} -o {request.target} {there}\n"
        f"  its end:        spinelabel cancel {job.id} {there}"
    )


def _check_files(source: Path, target: Path) -> None:
    try:
        with source.open("rb"):
            pass
    except FileNotFoundError as error:
        raise BadInput(f"There is no file {source}.") from error
    except IsADirectoryError as error:
        raise BadInput(f"{source} is a folder; name a catalogue file.") from error
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror}.") from error
    if not target.parent.is_dir():
        raise BadInput(f"There is no folder {target.parent} for the result; make it or choose -o.")
    if not os.access(target.parent, os.W_OK):
        raise BadInput(f"The folder {target.parent} cannot be written to; choose -o elsewhere.")
    if target.is_dir():
        raise BadInput(f"{target} is a folder; name a file with -o.")
    if target.exists() and target.samefile(source):
        raise BadInput(
            "The result would replace the catalogue itself; choose another name with -o."
        )


class _Waiting:
    """Called before every wait for a server that is away: says so once, gives up with its stack."""

    def __init__(self, server: Server, display: Display) -> None:
        self._server = server
        self._display = display
        self._said = False

    def __call__(self, error: Exception) -> None:
        self._server.check()
        if not self._said:
            self._display.note(f"The server does not answer ({error}); trying again.")
            self._said = True
