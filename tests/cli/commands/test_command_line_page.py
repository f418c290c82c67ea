"""The page on the command line names every command and every exit code; `tests/docs` follows it."""

from __future__ import annotations

import re

import cli.errors
from cli.main import app
from tests.stack import ROOT

PAGE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
EXAMPLES = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_every_command_has_an_example() -> None:
    shown = {found[1] for line in EXAMPLES if (found := re.search(r"spinelabel (\w+)", line))}
    assert shown == set(app.commands)


def test_the_exit_codes_are_those_of_the_code_and_of_the_help() -> None:
    table = re.compile(r"^\| (\d+) \| (.*) \|$", re.MULTILINE)
    written = dict(table.findall(PAGE))
    assert written == dict(table.findall(cli.errors.__doc__ or ""))
    assert app.help is not None
    assert re.findall(r"(?:^|[ ·])(\d+) [a-z]", app.help.split("Exit codes:")[1]) == [*written]
