"""`spinelabel doctor`: looks at the installation, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.commands.options import json_option, model_root_option, server_options

if TYPE_CHECKING:
    from cli.doctor.check_result import CheckResult

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option("Print what was found as a JSON list.")
@server_options
@model_root_option
def doctor(
    as_json: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
    model_root: Path | None,
) -> None:
    """Look whether everything works here, and say what to do where it does not.

    Takes some seconds: the model is really loaded. The exit code is 1 if something fails.
    """
    from cli.commands.printing import print_json
    from cli.doctor.check_result import Level

    found: list[CheckResult] = []
    for finding in _looks(server, api_key, data_dir, model_root):
        found.append(finding)
        if not as_json:
            _say(finding)
    if as_json:
        print_json([asdict(finding) for finding in found])
    if any(finding.level is Level.FAIL for finding in found):
        raise click.exceptions.Exit(1)


def _looks(
    server: str | None, api_key: str | None, data_dir: Path, model_root: Path | None
) -> Iterator[CheckResult]:
    """One after the other, the quick ones first, so that each can be read while the next is made."""
    from cli.doctor import environment, installation

    yield installation.python()
    yield installation.redis()
    yield environment.data_folder(data_dir)
    yield environment.record(data_dir)
    yield environment.disk(data_dir)
    yield environment.port(data_dir)
    yield environment.stack(server, data_dir, api_key)
    yield environment.docker()
    yield installation.packages()
    yield installation.model(model_root)


def _say(finding: CheckResult) -> None:
    mark = click.style(f"{finding.level:4}", fg=_COLOURS[finding.level])
    click.echo(f"{mark}  {finding.what:11}  {finding.said}")
    if finding.cure:
        click.echo(f"{'':19}→ {finding.cure}")
