"""Progress on a terminal; no progress without one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cli.commands.display import Bars, display_for
from cli.http.job_document import JobDocument
from cli.local_stack.supervision.events import Action, StackEvent, render
from tests.cli.fake_api import job_document


def console() -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, color_system=None, highlight=False, width=100
    )


def test_a_terminal_shows_progress_and_keeps_notes() -> None:
    screen = console()
    with Bars(screen) as display:
        display.busy("starting the stack")
        display.note("A note [not markup]")
        for state in ("queued", "in_progress"):
            display.job(JobDocument.of(job_document(state=state)), of="a[1].csv")
            display.transferred("uploading", 10, 20, of="b.csv")
        display.finish(of="a[1].csv")
        display.finish(of="never began")
    assert isinstance(screen.file, io.StringIO)
    output = screen.file.getvalue()
    assert "A note [not markup]" in output
    assert "b.csv  uploading" in output


def test_without_a_terminal_only_warnings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):  # standard error is no terminal in tests
        with display_for(quiet=quiet) as display:
            display.note("x")
            display.busy("x")
            display.transferred("x", 1, 2)
            display.job(JobDocument.of(job_document()))
            display.finish()
    assert capsys.readouterr() == ("", "")
    display.warn("y")
    assert capsys.readouterr() == ("", "y\n")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StackEvent(action=Action.STARTING, child="api"), "api     starting"),
        (StackEvent(action=Action.READY, child="redis", after_s=0.12), "redis   ready after 0.1 s"),
        (
            StackEvent(action=Action.DIED, child="worker", after_s=3, detail="exit status 1"),
            "worker  died after 3.0 s: exit status 1",
        ),
        (StackEvent(action=Action.STACK_READY, after_s=6.04), "Stack ready after 6.0 s"),
    ],
)
def test_every_event_is_one_aligned_line(event: StackEvent, line: str) -> None:
    assert render(event) == line
