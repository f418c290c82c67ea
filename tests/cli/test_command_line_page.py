"""The page on the command line names every command and every exit code, and its Python works."""

from __future__ import annotations

import re
from pathlib import Path

import click

import cli.errors
from cli.main import app
from tests.cli.fake_api import FakeApi
from tests.cli.test_commands import RESULT, ROOT

PAGE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
EXAMPLES = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_every_command_has_an_example() -> None:
    shown = {found[1] for line in EXAMPLES if (found := re.search(r"spinelabel (\w+)", line))}
    assert shown == set(app.commands)


def test_every_option_in_an_example_is_one_of_its_commands() -> None:
    for line in EXAMPLES:
        name, words = line.split("spinelabel ")[1].split("  #")[0].split(" ", 1)[0], line.split()
        command = app.commands[name]
        commands = command.commands.values() if isinstance(command, click.Group) else [command]
        known = {o for c in commands for p in c.params for o in (*p.opts, *p.secondary_opts)}
        options = {w for w in words[words.index(name) :] if re.fullmatch(r"-\w|--[\w-]+", w)}
        assert options <= known, line


def test_the_exit_codes_are_those_of_the_code_and_of_the_help() -> None:
    table = re.compile(r"^\| (\d+) \| (.*) \|$", re.MULTILINE)
    written = dict(table.findall(PAGE))
    assert written == dict(table.findall(cli.errors.__doc__ or ""))
    assert app.help is not None
    assert re.findall(r"(?:^|[ ·])(\d+) [a-z]", app.help.split("Exit codes:")[1]) == [*written]


def test_the_python_of_the_page_works(api: FakeApi, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    program = program.replace("http://127.0.0.1:8000", api.url)
    (tmp_path / "books.csv").write_text("summary\nwords\n")
    api.result = RESULT
    for name in ("books.csv", "labelled.csv"):
        program = program.replace(f'"{name}"', repr(str(tmp_path / name)))
    exec(program, {})  # noqa: S102  # our own page
    assert (tmp_path / "labelled.csv").read_bytes() == RESULT
