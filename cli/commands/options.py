"""Options that several commands share."""

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
    help="Data folder of the local stack, with its jobs and logs.",
)


model_root_option = click.option(
    "--model-root",
    type=click.Path(path_type=Path),
    envvar="SPINELABEL_MODEL_ROOT",
    show_envvar=True,
    help="Folder with NAME/VERSION/ of each model for the local stack. Default: the included "
    "models.",
)


def json_option(help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The option --json."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options --server, --api-key and --data-dir."""
    # The variable is safer than the option: other users can see the command line.
    api_key = click.option(
        "--api-key",
        metavar="KEY",
        envvar="SPINELABEL_API_KEY",
        show_envvar=True,
        help="API key, if the server requires one.",
    )
    server = click.option(
        "--server",
        metavar="URL",
        envvar="SPINELABEL_SERVER",
        show_envvar=True,
        help="Server to use, such as http://127.0.0.1:8000. Default: the running local stack.",
    )
    decorated: Callable[..., None] = server(api_key(data_dir_option(command)))
    return decorated


def quiet_option(command: Callable[..., None]) -> Callable[..., None]:
    """The option --quiet."""
    return click.option("-q", "--quiet", is_flag=True, help="Show no progress.")(command)
