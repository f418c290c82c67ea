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
from .targets import STREAM, LabelTarget

# The server's messages do not name the options of this program.
_OPTIONS = {
    "NO_SUMMARY_COLUMN": "--summary-column NAME",
    "SUMMARY_COLUMN_NOT_FOUND": "--summary-column NAME",
    "TITLE_COLUMN_NOT_FOUND": "--title-column NAME",
}


@dataclass(kw_only=True)
class Catalogue:
    """A catalogue and its progress."""

    assignment: LabelTarget
    title: str = ""  # before its progress; empty if it is the only one
    job: JobDocument | None = None
    error: SpinelabelError | None = None
    fetched: bool = False

    @property
    def settled(self) -> bool:
        """Whether it is finished, successfully or not."""
        return self.fetched or self.error is not None


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
        at_once: int = 1,
        again: bool = False,
    ) -> None:
        """
        Args:
            at_once: maximum unfinished jobs.
            again: do not use the results of earlier commands.
        """
        self._client = client
        self._catalogues = catalogues
        self._options = options
        self._streams = streams
        self._display = display
        self._at_once = at_once
        self._again = again
        self._waiting = deque(c for c in catalogues if not c.settled)

    @property
    def under_way(self) -> list[Catalogue]:
        """Catalogues that have a job but neither a result nor an error."""
        return [c for c in self._catalogues if c.job is not None and not c.settled]

    def run(self) -> None:
        """Run until every catalogue is settled.

        An error of one is stored in it; the others continue.
        """
        interval, room = PollInterval(), True
        while self._waiting or self.under_way:
            while room and self._waiting and len(self.under_way) < self._at_once:
                room = self._submit(self._waiting[0])
                interval.reset()
            before = len(self.under_way)
            for catalogue in self.under_way:
                self._poll(catalogue)
            if len(self.under_way) < before:
                room = True
            elif self.under_way:
                time.sleep(interval.seconds())

    def _submit(self, catalogue: Catalogue) -> bool:
        """Create the catalogue's job.

        False: the owner has too many open jobs; retry after one ends.
        """
        try:
            source = self._streams.readable(catalogue.assignment.source)
            submitted = submit(
                self._client,
                source,
                filename=source.name,
                options=self._options,
                again=self._again,
                on_bytes=lambda done, all_: self._display.moved(
                    "uploading", done, all_, of=catalogue.title
                ),
            )
        except ApiProblem as problem:
            if problem.code == "TOO_MANY_OPEN_JOBS" and self.under_way:
                return False
            self._fail(catalogue, _with_option(problem))
        except SpinelabelError as error:
            self._fail(catalogue, error)
        except OSError as error:
            reason = f"{catalogue.assignment.source} cannot be read: {error.strerror}."
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
            catalogue.assignment.target,
            self._streams,
            lambda done, all_: self._display.moved("downloading", done, all_, of=catalogue.title),
        )
        catalogue.fetched = True
        self._display.ended(of=catalogue.title)
        self._display.note(_finished(catalogue, job))
        for warning in job.warnings:
            name = f"{catalogue.title}: " if catalogue.title else ""
            self._display.warn(f"Warning: {name}{warning}")

    def _fail(self, catalogue: Catalogue, error: SpinelabelError) -> None:
        catalogue.error = error
        self._display.ended(of=catalogue.title)
        if error.exit_code == ServerUnreachable.exit_code:
            # The others would only wait for the same server, one after the other.
            self._waiting.clear()
            for other in self._catalogues:
                if not other.settled:
                    other.error = error


def _with_option(problem: ApiProblem) -> SpinelabelError:
    """Add the option of this program that solves the problem."""
    option = _OPTIONS.get(problem.code)
    return problem if option is None else BadInput(f"{problem} Here: {option}.")


def _resumed(catalogue: Catalogue, job: JobDocument) -> str:
    name = catalogue.assignment.source
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


def titled(assignments: Sequence[LabelTarget]) -> list[Catalogue]:
    """Catalogues with distinct titles."""
    alone = len(assignments) == 1
    return [
        Catalogue(assignment=a, title="" if alone or a.source == STREAM else str(a.source))
        for a in assignments
    ]
