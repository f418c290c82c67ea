"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default="var/spinelabel",
    show_default=True,
    envvar="SPINELABEL_DATA_DIR",
    show_envvar=True,
    help="Folder of the local stack: its jobs, its logs.",
)


model_root_option = click.option(
    "--model-root",
    type=click.Path(path_type=Path),
    envvar="SPINELABEL_MODEL_ROOT",
    show_envvar=True,
    help="Folder NAME/VERSION/ of models for the local stack. Default: those of Spinelabel.",
)


def json_option(help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The answer as a program reads it."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Which server to talk to, and as whom."""
    # Better in the environment than on the command line, where other users of the machine can see it.
    api_key = click.option(
        "--api-key",
        metavar="KEY",
        envvar="SPINELABEL_API_KEY",
        show_envvar=True,
        help="Key for a server that asks for one.",
    )
    server = click.option(
        "--server",
        metavar="URL",
        envvar="SPINELABEL_SERVER",
        show_envvar=True,
        help="Server to use, such as http://127.0.0.1:8000. Default: the local stack that runs.",
    )
    decorated: Callable[..., None] = server(api_key(data_dir_option(command)))
    return decorated


def quiet_option(command: Callable[..., None]) -> Callable[..., None]:
    """No progress."""
    return click.option("-q", "--quiet", is_flag=True, help="Show no progress.")(command)
