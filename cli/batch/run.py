"""Submits, polls and downloads several catalogues at a time.

One thread does everything, so that Ctrl-C interrupts it in one place. Most of the time is the
server's labelling; uploads and downloads would share the bandwidth anyway.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from ..client import Client
from ..commands.display import Display
from ..commands.formatting import outcome as rows_by_outcome
from ..errors import ApiProblem, BadInput, JobEnded, ServerUnreachable, SpinelabelError
from ..http.job_document import JobDocument
from ..http.label_options import LabelOptions
from ..http.poll_interval import PollInterval
from .streams import Streams, download_to
from .submission import submit
from .targets import STREAM, FilePair

# The server's messages do not name the options of this program.
_OPTIONS = {
    "NO_SUMMARY_COLUMN": "--summary-column NAME",
    "SUMMARY_COLUMN_NOT_FOUND": "--summary-column NAME",
    "TITLE_COLUMN_NOT_FOUND": "--title-column NAME",
}


@dataclass(kw_only=True)
class Catalogue:
    """A catalogue and its progress."""

    files: FilePair
    title: str = ""  # before its progress; empty if it is the only one
    job: JobDocument | None = None
    error: SpinelabelError | None = None
    is_downloaded: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether it is finished, successfully or not."""
        return self.is_downloaded or self.error is not None


class BatchRun:
    """Submits, polls and downloads catalogues. Their progress is in `catalogues`."""

    def __init__(
        self,
        client: Client,
        catalogues: Sequence[Catalogue],
        *,
        options: LabelOptions,
        streams: Streams,
        display: Display,
        max_jobs: int = 1,
        again: bool = False,
    ) -> None:
        """
        Args:
            max_jobs: maximum unfinished jobs.
            again: do not use the results of earlier commands.
        """
        self._client = client
        self._catalogues = catalogues
        self._options = options
        self._streams = streams
        self._display = display
        self._max_jobs = max_jobs
        self._again = again
        self._waiting = deque(c for c in catalogues if not c.is_finished)

    @property
    def in_progress(self) -> list[Catalogue]:
        """Catalogues that have a job but neither a result nor an error."""
        return [c for c in self._catalogues if c.job is not None and not c.is_finished]

    def run(self) -> None:
        """Run until every catalogue is finished.

        An error of one is stored in it; the others continue.
        """
        interval, room = PollInterval(), True
        while self._waiting or self.in_progress:
            while room and self._waiting and len(self.in_progress) < self._max_jobs:
                room = self._submit(self._waiting[0])
                interval.reset()
            before = len(self.in_progress)
            for catalogue in self.in_progress:
                self._poll(catalogue)
            if len(self.in_progress) < before:
                room = True
            elif self.in_progress:
                time.sleep(interval.seconds())

    def _submit(self, catalogue: Catalogue) -> bool:
        """Create the catalogue's job.

        False: the owner has too many open jobs; retry after one ends.
        """
        try:
            source = self._streams.readable(catalogue.files.source)
            submitted = submit(
                self._client,
                source,
                filename=source.name,
                options=self._options,
                again=self._again,
                on_bytes=lambda done, all_: self._display.transferred(
                    "uploading", done, all_, of=catalogue.title
                ),
            )
        except ApiProblem as problem:
            if problem.code == "TOO_MANY_OPEN_JOBS" and self.in_progress:
                return False
            self._fail(catalogue, _with_option(problem))
        except SpinelabelError as error:
            self._fail(catalogue, error)
        except OSError as error:
            reason = f"{catalogue.files.source} cannot be read: {error.strerror}."
            self._fail(catalogue, BadInput(reason))
        else:
            catalogue.job = submitted.job
            if submitted.repeated:
                self._display.note(_resumed(catalogue, submitted.job))
        if self._waiting and self._waiting[0] is catalogue:
            self._waiting.popleft()
        return True

    def _poll(self, catalogue: Catalogue) -> None:
        assert catalogue.job is not None
        try:
            catalogue.job = self._client.job(catalogue.job.id)
            self._display.job(catalogue.job, of=catalogue.title)
            if catalogue.job.ended:
                self._fetch(catalogue, catalogue.job)
        except SpinelabelError as error:
            self._fail(catalogue, error)

    def _fetch(self, catalogue: Catalogue, job: JobDocument) -> None:
        if job.ended_badly:
            raise JobEnded(f"The job {job.id} {_how_it_ended(job)}.")
        download_to(
            self._client,
            job.id,
            catalogue.files.target,
            self._streams,
            lambda done, all_: self._display.transferred(
                "downloading", done, all_, of=catalogue.title
            ),
        )
        catalogue.is_downloaded = True
        self._display.finish(of=catalogue.title)
        self._display.note(_finished(catalogue, job))
        for warning in job.warnings:
            name = f"{catalogue.title}: " if catalogue.title else ""
            self._display.warn(f"Warning: {name}{warning}")

    def _fail(self, catalogue: Catalogue, error: SpinelabelError) -> None:
        catalogue.error = error
        self._display.finish(of=catalogue.title)
        if error.exit_code == ServerUnreachable.exit_code:
            # The others would only wait for the same server, one after the other.
            self._waiting.clear()
            for other in self._catalogues:
                if not other.is_finished:
                    other.error = error


def _with_option(problem: ApiProblem) -> SpinelabelError:
    """Add the option of this program that solves the problem."""
    option = _OPTIONS.get(problem.code)
    return problem if option is None else BadInput(f"{problem} Here: {option}.")


def _resumed(catalogue: Catalogue, job: JobDocument) -> str:
    name = catalogue.files.source
    if job.ended:
        return f"{name} has been labelled already (job {job.id}); --again labels it once more."
    return f"{name} is being labelled already: continuing with the job {job.id}."


def _finished(catalogue: Catalogue, job: JobDocument) -> str:
    name = f"{catalogue.title}: " if catalogue.title else ""
    return f"{name}{rows_by_outcome(job)}, {job.needs_review:,} to review"


def _how_it_ended(job: JobDocument) -> str:
    words = {"failed": "failed", "cancelled": "was cancelled", "expired": "expired"}
    reason = f": {job.error.rstrip('.')}" if job.error else ""
    return f"{words[job.state]}{reason}"


def with_titles(pairs: Sequence[FilePair]) -> list[Catalogue]:
    """Catalogues with distinct titles."""
    alone = len(pairs) == 1
    return [
        Catalogue(files=pair, title="" if alone or pair.source == STREAM else str(pair.source))
        for pair in pairs
    ]
