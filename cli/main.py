"""The command group. Each command imports its code when it runs, so that the help is fast."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click

from .commands.completion import completion
from .commands.doctor import doctor
from .commands.error_handling import ErrorHandlingGroup, install_signal_handlers
from .commands.explain import explain
from .commands.job_commands import cancel, download, jobs, status
from .commands.keys import keys
from .commands.label_command import label
from .commands.model_command import model
from .commands.options import data_dir_option, model_root_option, quiet_option


@click.group(cls=ErrorHandlingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug", is_flag=True, envvar="SPINELABEL_DEBUG", help="Show the traceback of an error."
)
@click.version_option(package_name="spinelabel")
def app(debug: bool) -> None:
    """Genres for a whole catalogue of books.

    Start with `spinelabel label books.csv`; `spinelabel doctor` checks the installation.

    Exit codes: 0 done · 1 the job failed, was cancelled or expired, or the doctor found a failure
    · 2 invalid use or input · 3 no server can be reached or started · 70 a bug in Spinelabel
    · 130 interrupted.
    """


@app.command()
@data_dir_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@model_root_option
def up(data_dir: Path, host: str, port: int, model_root: Path | None) -> None:
    """Run the local stack here until Ctrl-C: Redis, model server, worker, API."""
    from .local_stack.checkout import require_checkout
    from .local_stack.settings import LocalStackSettings

    require_checkout("`spinelabel up`")
    from .commands.up import up as run

    run(
        LocalStackSettings(data_dir=data_dir, host=host, port=port, model_root=model_root),
        click.echo,
    )


@app.command()
@click.option(
    "--sample",
    type=click.Path(path_type=Path),
    default=Path("data/sample_catalogue.csv"),
    show_default=True,
    help="Catalogue to label.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default="var/demo",
    show_default=True,
    help="Data folder of the demo; the result is written there.",
)
@model_root_option
@quiet_option
def demo(sample: Path, data_dir: Path, model_root: Path | None, quiet: bool) -> None:
    """Label the sample catalogue on this machine, and show a summary of the result."""
    from .commands.display import display_for
    from .local_stack.checkout import require_checkout
    from .local_stack.settings import LocalStackSettings

    require_checkout("`spinelabel demo`")
    from .commands.demo import demo as run

    install_signal_handlers()
    stack_settings = LocalStackSettings(data_dir=data_dir, model_root=model_root)
    click.echo(run(sample, stack_settings, display_for(quiet=quiet)))


for command in (label, jobs, status, cancel, download, explain, model, keys, doctor, completion):
    app.add_command(command)


def main() -> None:
    """Run the program `spinelabel`."""
    for stream in (sys.stdout, sys.stderr):
        # A title that the terminal's encoding cannot represent must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="spinelabel")
