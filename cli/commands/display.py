"""Progress on the terminal: bars if standard error is one, otherwise only warnings.

Everything goes to standard error, so that standard output contains only the result.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..http.job_document import JobDocument
from .formatting import activity, pace, rows_done, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


class Display:
    """Prints warnings only. Methods may be called from any thread.

    `of` names the catalogue, if there are several.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        return

    def warn(self, text: str) -> None:
        """A warning, also for the reader of a log."""
        print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Information for a person at the terminal."""

    def busy(self, what: str) -> None:
        """Progress of unknown length."""

    def transferred(self, verb: str, done: int, total: int, *, of: str = "") -> None:
        """Bytes sent or received."""

    def job(self, job: JobDocument, *, of: str = "") -> None:
        """The state of a job."""

    def finish(self, *, of: str = "") -> None:
        """The activity has ended."""


class Bars(Display):
    """A bar for each activity, removed at its end; notes stay."""

    def __init__(self, console: Console | None = None) -> None:
        # Imported here, because commands without bars should not wait for rich.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            # rich would interpret brackets in a file name as markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[detail]}", justify="right", markup=False),
            console=console or Console(stderr=True, highlight=False),
            expand=True,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

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

    def warn(self, text: str) -> None:
        self.note(text)

    def note(self, text: str) -> None:
        self._progress.console.print(text, markup=False, soft_wrap=True)

    def busy(self, what: str) -> None:
        self._show("", what, 0, None, "")

    def transferred(self, verb: str, done: int, total: int, *, of: str = "") -> None:
        self._show(of, verb, done, total, f"{size(done)} of {size(total)}")

    def job(self, job: JobDocument, *, of: str = "") -> None:
        total = job.total if job.total_is_final else None
        detail = " · ".join(filter(None, [rows_done(job), pace(job)]))
        self._show(of, activity(job), job.processed, total, detail)

    def finish(self, *, of: str = "") -> None:
        if (task := self._tasks.pop(of, None)) is not None:
            self._progress.remove_task(task)

    def _show(self, of: str, what: str, done: int, total: int | None, detail: str) -> None:
        words = what[:1].upper() + what[1:] if not of else f"{of}  {what}"
        if of:
            self.finish()  # the common activity before the first job
        if of not in self._tasks:
            self._tasks[of] = self._progress.add_task(words, total=None, detail="")
        task = self._tasks[of]
        # `update` ignores None; only `reset` makes a bar without a known total.
        if total is None:
            self._progress.reset(task, total=None, description=words, detail=detail)
        else:
            self._progress.update(
                task, total=total, completed=done, description=words, detail=detail
            )


def display_for(*, quiet: bool) -> Display:
    """Return bars if standard error is a terminal, unless `quiet`."""
    return Bars() if sys.stderr.isatty() and not quiet else Display()
