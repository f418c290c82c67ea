"""Turns errors into one sentence and an exit code."""

from __future__ import annotations

import signal
import traceback
from typing import Any

import click

from ..errors import FAULT, INTERRUPTED, SpinelabelError


class ErrorHandlingGroup(click.Group):
    """Prints every error as one sentence and exits with its code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see `cli.errors` for the exit codes."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            if isinstance(error, SpinelabelError):
                click.echo(f"Error: {error}", err=True)
                raise click.exceptions.Exit(error.exit_code) from error
            click.echo(
                f"Error: {error!r}. This is a bug in Spinelabel; --debug shows the traceback.",
                err=True,
            )
            raise click.exceptions.Exit(FAULT) from error


def install_signal_handlers() -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C, so that no process is left running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
