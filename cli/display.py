"""Progress on the terminal: a bar for a person, an occasional line for a log, nothing when quiet.

All of it goes to standard error, so that standard output carries the answer alone.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cli.formatting import doing, pace, rows_done, size
from cli.job_document import JobDocument

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LINE_EVERY_S = 5.0


class Display:
    """Shows nothing; the others show more. Methods may be called from any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        return

    def note(self, text: str) -> None:
        """Something that a person should know."""

    def busy(self, what: str) -> None:
        """Something goes on that nobody can say the end of."""

    def moved(self, verb: str, done: int, total: int) -> None:
        """Bytes sent or received."""

    def job(self, job: JobDocument) -> None:
        """How the job stands."""


class Lines(Display):
    """One line for every change of what is going on, and one every few seconds in between."""

    def __init__(self) -> None:
        self._said = ""
        self._said_at = time.monotonic()

    def note(self, text: str) -> None:
        self._said_at = time.monotonic()
        print(text, file=sys.stderr, flush=True)

    def moved(self, verb: str, done: int, total: int) -> None:
        if time.monotonic() - self._said_at >= _LINE_EVERY_S:  # what is quick needs no word
            self._occasionally(verb, f"{size(done)} of {size(total)}")

    def job(self, job: JobDocument) -> None:
        counts = rows_done(job) if job.processed or job.total else ""
        self._occasionally(doing(job), " · ".join(filter(None, [counts, pace(job)])))

    def _occasionally(self, what: str, detail: str) -> None:
        if what == self._said and time.monotonic() - self._said_at < _LINE_EVERY_S:
            return
        self._said = what
        self.note(f"{what[:1].upper()}{what[1:]}{': ' if detail else ''}{detail}")


class Bar(Display):
    """One bar that lives from start to end, and leaves the notes alone behind."""

    def __init__(self) -> None:
        # Here, not above: a command that shows no bar should not wait for rich.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[detail]}", justify="right"),
            console=Console(stderr=True, highlight=False),
            expand=True,
            transient=True,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False)

    def busy(self, what: str) -> None:
        self._show(what, 0, None, "")

    def moved(self, verb: str, done: int, total: int) -> None:
        self._show(verb, done, total, f"{size(done)} of {size(total)}")

    def job(self, job: JobDocument) -> None:
        total = job.total if job.total_is_final else None
        detail = " · ".join(filter(None, [rows_done(job), pace(job)]))
        self._show(doing(job), job.processed, total, detail)

    def _show(self, what: str, done: int, total: int | None, detail: str) -> None:
        words = what[:1].upper() + what[1:]
        if self._task is None:
            self._task = self._progress.add_task(words, total=None, detail="")
        # rich reads None as "leave it": a bar without a known end has to be asked for by reset.
        if total is None:
            self._progress.reset(self._task, total=None, description=words, detail=detail)
        else:
            self._progress.update(
                self._task, total=total, completed=done, description=words, detail=detail
            )


def display_for(*, quiet: bool) -> Display:
    """What suits standard error."""
    if quiet:
        return Display()
    return Bar() if sys.stderr.isatty() else Lines()
