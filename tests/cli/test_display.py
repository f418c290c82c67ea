"""Progress without a terminal: few lines, all on standard error."""

from __future__ import annotations

import pytest

from cli.display import Lines, display_for
from cli.happenings import Action, Happening, render
from cli.job_document import JobDocument
from tests.cli.fake_api import job_document


def test_a_line_comes_for_every_change_and_not_for_every_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Lines() as display:
        display.moved("uploading", 10, 20)
        for state in ("queued", "in_progress", "in_progress", "in_progress", "completed"):
            display.job(JobDocument.of(job_document(state=state)))
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(":")[0] for line in said.err.splitlines()] == [
        "Waiting for a worker",
        "Labelling",
        "Completed",
    ]


def test_quiet_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with display_for(quiet=True) as display:
        display.note("x")
        display.busy("x")
        display.moved("x", 1, 2)
        display.job(JobDocument.of(job_document()))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("happening", "line"),
    [
        (Happening(action=Action.STARTING, child="api"), "api     starting"),
        (Happening(action=Action.READY, child="redis", after_s=0.12), "redis   ready after 0.1 s"),
        (
            Happening(action=Action.DIED, child="worker", after_s=3, detail="exit status 1"),
            "worker  died after 3.0 s: exit status 1",
        ),
        (Happening(action=Action.STACK_READY, after_s=6.04), "Stack ready after 6.0 s"),
    ],
)
def test_every_state_change_is_one_tidy_line(happening: Happening, line: str) -> None:
    assert render(happening) == line
