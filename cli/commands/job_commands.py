"""`spinelabel jobs · status · cancel · download`: jobs of the server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import BadInput, JobEnded
from ..http.connect import client_for
from .error_handling import install_signal_handlers
from .options import json_option, quiet_option, server_options

if TYPE_CHECKING:
    from ..client import Client
    from ..http.job_document import JobDocument

_WATCHING_PATIENCE_S = 60.0


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@json_option("Print the job documents as a JSON list.")
@server_options
def jobs(
    limit: int, as_json: bool, server: str | None, api_key: str | None, data_dir: Path
) -> None:
    """List the newest jobs, one a line."""
    from .formatting import describe, print_json

    with client_for(server, api_key, data_dir) as client:
        newest = client.jobs(limit)
    if as_json:
        print_json([job.raw for job in newest])
        return
    for job in newest:
        click.echo(f"{job.created_at[:19]}  {describe(job)}")
    if not newest:
        click.echo("No jobs yet.", err=True)


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option("-w", "--watch", is_flag=True, help="Continue until the job has ended.")
@json_option("Print the job document as JSON; with --watch one line for every change.")
@quiet_option
@server_options
def status(
    job_id: str,
    watch: bool,
    as_json: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
) -> None:
    """Show the state of a job. The exit code is 1 if it failed, was cancelled or expired."""
    from .formatting import describe, print_json

    install_signal_handlers()
    if watch:
        with client_for(server, api_key, data_dir, patience_s=_WATCHING_PATIENCE_S) as client:
            job = _watched(job_id, client, quiet=quiet, as_json=as_json)
    else:
        with client_for(server, api_key, data_dir) as client:
            job = client.job(job_id)
    if not as_json:
        click.echo(describe(job))
        for warning in job.warnings:
            click.echo(f"Warning: {warning}", err=True)
    elif not watch:
        print_json(job.raw)
    if job.ended_badly:
        raise click.exceptions.Exit(JobEnded.exit_code)


@click.command()
@click.argument("job_ids", metavar="JOB...", nargs=-1, required=True)
@json_option("Print the job documents as a JSON list.")
@server_options
def cancel(
    job_ids: tuple[str, ...],
    as_json: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
) -> None:
    """End jobs. What is finished is kept, and can be downloaded."""
    from .formatting import describe, print_json

    with client_for(server, api_key, data_dir) as client:
        cancelled = [client.cancel(job_id) for job_id in job_ids]
    if as_json:
        print_json([job.raw for job in cancelled])
        return
    for job in cancelled:
        click.echo(describe(job))


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where the labelled catalogue goes; - is standard output. Default: NAME.labelled.csv in "
    "this folder.",
)
@json_option("Print where it is, and the job, as JSON.")
@quiet_option
@server_options
def download(
    job_id: str,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
) -> None:
    """Fetch the labelled catalogue of a job that has ended, and print where it is."""
    from ..batch.streams import Streams, download_to
    from ..batch.targets import STREAM, default_target
    from .display import display_for
    from .formatting import print_json

    if output == STREAM and as_json:
        raise BadInput("Standard output cannot carry both the catalogue and JSON; add -o FILE.")
    install_signal_handlers()
    with (
        client_for(server, api_key, data_dir) as client,
        Streams() as streams,
        display_for(quiet=quiet) as display,
    ):
        job = client.job(job_id)
        # The name is the uploader's: only its last part may say where a file is written.
        target = output or default_target(Path(Path(job.filename).name))
        download_to(
            client,
            job_id,
            target,
            streams,
            lambda done, all_: display.transferred("downloading", done, all_),
        )
    if as_json:
        print_json({"output": str(target), "job": job.raw})
    elif target != STREAM:
        click.echo(target)


def _watched(job_id: str, client: Client, *, quiet: bool, as_json: bool) -> JobDocument:
    from .display import display_for

    last_printed: object = None
    with display_for(quiet=quiet) as display:
        for job in client.follow(job_id):
            display.job(job)
            now = (job.state, job.total, job.processed)
            if as_json and now != last_printed:
                click.echo(json.dumps(job.raw, ensure_ascii=False))
                last_printed = now
    return job
