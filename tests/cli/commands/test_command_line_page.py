"""docs/command_line.md has every command and every exit code; `tests/docs` runs its examples."""

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
    shown = {match[1] for line in EXAMPLES if (match := re.search(r"spinelabel (\w+)", line))}
    assert shown == set(app.commands)


def test_the_exit_codes_match_the_code_and_the_help() -> None:
    table = re.compile(r"^\| (\d+) \| (.*) \|$", re.MULTILINE)
    documented = dict(table.findall(PAGE))
    assert documented == dict(table.findall(cli.errors.__doc__ or ""))
    assert app.help is not None
    assert re.findall(r"(?:^|[\s·])(\d+) [a-z]", app.help.split("Exit codes:")[1]) == [*documented]
