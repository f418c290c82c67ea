"""`spinelabel doctor`: checks the installation and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import json_option, model_root_option, server_options

if TYPE_CHECKING:
    from ..doctor.check_result import CheckResult

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option("Print the results as a JSON list.")
@server_options
@model_root_option
def doctor(
    as_json: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
    model_root: Path | None,
) -> None:
    """Check the installation, and say what to do about each problem.

    Takes some seconds, because the model is loaded. The exit code is 1 if a check fails.
    """
    from ..doctor.check_result import Level
    from .formatting import print_json

    results: list[CheckResult] = []
    for result in _checks(server, api_key, data_dir, model_root):
        results.append(result)
        if not as_json:
            _print(result)
    if as_json:
        print_json([asdict(result) for result in results])
    if any(result.level is Level.FAIL for result in results):
        raise click.exceptions.Exit(1)


def _checks(
    server: str | None, api_key: str | None, data_dir: Path, model_root: Path | None
) -> Iterator[CheckResult]:
    """The quick checks first, so that their results can be read while the others run."""
    from ..doctor import environment, installation
    from ..local_stack.checkout import in_checkout

    yield installation.python()
    if not in_checkout():  # nothing is installed that could run a local stack
        yield environment.checkout()
        yield environment.stack(server, data_dir, api_key)
        return
    yield installation.redis()
    yield environment.data_folder(data_dir)
    yield environment.record(data_dir)
    yield environment.disk(data_dir)
    yield environment.port(data_dir)
    yield environment.stack(server, data_dir, api_key)
    yield environment.docker()
    yield installation.packages()
    yield installation.model(model_root)


def _print(result: CheckResult) -> None:
    mark = click.style(f"{result.level:4}", fg=_COLOURS[result.level])
    click.echo(f"{mark}  {result.what:11}  {result.detail}")
    if result.remedy:
        click.echo(f"{'':19}→ {result.remedy}")
