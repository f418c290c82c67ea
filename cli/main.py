"""The commands. Each one imports what it needs when it runs, so that the help is there at once."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import BadInput, JobEnded
from cli.explain import explain
from cli.front import Front, end_in_good_order
from cli.keys import keys
from cli.options import data_dir_option, model_root_option, quiet_option, server_options

if TYPE_CHECKING:
    from cli.client import ApiClient

_ONE_SHOT_PATIENCE_S = 3.0  # for commands that a person waits for


@click.group(cls=Front, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--debug", is_flag=True, envvar="SPINELABEL_DEBUG", help="Show the traceback of an error."
)
@click.version_option(package_name="spinelabel")
def app(debug: bool) -> None:
    """Genres for a whole catalogue of books.

    Exit codes: 0 done · 1 the job failed, was cancelled or expired · 2 wrong use or input ·
    3 no server can be reached or started · 70 a fault in Spinelabel · 130 interrupted.
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
    """Run the laptop stack here until Ctrl-C: Redis, model server, worker, API."""
    from cli.laptop import LaptopSettings
    from cli.up import up as run

    run(LaptopSettings(data_dir=data_dir, host=host, port=port, model_root=model_root), click.echo)


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where the labelled catalogue goes. Default: NAME.labelled.csv beside FILE.",
)
@click.option("--summary-column", metavar="NAME", help="Column to read; found by itself otherwise.")
@click.option(
    "--evidence", is_flag=True, help="Add a column with the words that weighed most. Takes longer."
)
@quiet_option
@server_options
@model_root_option
def label(
    file: Path,
    output: Path | None,
    summary_column: str | None,
    evidence: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
    model_root: Path | None,
) -> None:
    """Label the catalogue FILE, and print where the labelled one is.

    Without --server it uses the laptop stack that runs on the data folder, or starts one for as long
    as it takes. Progress goes to standard error; the output's path alone to standard output.
    """
    from cli.display import display_for
    from cli.formatting import outcome
    from cli.label import LabelRequest, default_target, label_file
    from cli.labelled_file import tally
    from cli.laptop import LaptopSettings

    end_in_good_order()
    target = output or default_target(file)
    request = LabelRequest(
        source=file,
        target=target,
        laptop=LaptopSettings(data_dir=data_dir, model_root=model_root),
        summary_column=summary_column,
        evidence=evidence,
        server=server,
        api_key=api_key,
    )
    with display_for(quiet=quiet) as display:
        job = label_file(request, display)
        display.note(f"{outcome(job)}, {tally(target).needs_review:,} to review")
    click.echo(target)


@app.command()
@click.argument("job_id", metavar="JOB")
@click.option("--json", "as_json", is_flag=True, help="Print the job document as JSON.")
@server_options
def status(
    job_id: str, as_json: bool, server: str | None, api_key: str | None, data_dir: Path
) -> None:
    """Say how a job stands. The exit code is 1 if it failed, was cancelled or expired."""
    from cli.formatting import describe

    with _client(server, api_key, data_dir) as client:
        job = client.job(job_id)
    click.echo(_json(job.raw) if as_json else describe(job))
    if job.ended_badly:
        raise click.exceptions.Exit(JobEnded.exit_code)


@app.command()
@click.argument("job_id", metavar="JOB")
@server_options
def cancel(job_id: str, server: str | None, api_key: str | None, data_dir: Path) -> None:
    """End a job. What is finished is kept, and can be downloaded."""
    from cli.formatting import describe

    with _client(server, api_key, data_dir) as client:
        click.echo(describe(client.cancel(job_id)))


@app.command()
@click.argument("job_id", metavar="JOB")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where the labelled catalogue goes. Default: NAME.labelled.csv in this folder.",
)
@quiet_option
@server_options
def download(
    job_id: str,
    output: Path | None,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
) -> None:
    """Fetch the labelled catalogue of a job that has ended, and print where it is."""
    from cli.display import display_for
    from cli.label import default_target

    with _client(server, api_key, data_dir) as client, display_for(quiet=quiet) as display:
        # The name is the uploader's: only its last part may say where a file is written.
        target = output or default_target(Path(Path(client.job(job_id).filename).name))
        try:
            client.download(
                job_id, target, lambda done, all_: display.moved("downloading", done, all_)
            )
        except OSError as error:
            raise BadInput(f"{target} cannot be written: {error.strerror}.") from error
    click.echo(target)


@app.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the job documents as a JSON list.")
@server_options
def jobs(
    limit: int, as_json: bool, server: str | None, api_key: str | None, data_dir: Path
) -> None:
    """List the newest jobs, one a line."""
    from cli.formatting import describe

    with _client(server, api_key, data_dir) as client:
        found = client.jobs(limit)
    if as_json:
        click.echo(_json([job.raw for job in found]))
        return
    for job in found:
        click.echo(f"{job.created_at[:19]}  {describe(job)}")
    if not found:
        click.echo("No jobs yet.", err=True)


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
    help="Folder of the demo's stack and its result.",
)
@model_root_option
@quiet_option
def demo(sample: Path, data_dir: Path, model_root: Path | None, quiet: bool) -> None:
    """Label the sample catalogue on this machine, and show what came of it."""
    from cli.demo import demo as run
    from cli.display import display_for
    from cli.laptop import LaptopSettings

    end_in_good_order()
    laptop = LaptopSettings(data_dir=data_dir, model_root=model_root)
    click.echo(run(sample, laptop, display_for(quiet=quiet)))


app.add_command(explain)
app.add_command(keys)


def _client(server: str | None, api_key: str | None, data_dir: Path) -> ApiClient:
    from cli.client import ApiClient
    from cli.connect import running_server

    url = running_server(server, data_dir)
    return ApiClient(url, api_key=api_key, patience_s=_ONE_SHOT_PATIENCE_S)


def _json(document: object) -> str:
    import json

    return json.dumps(document, indent=2, ensure_ascii=False)


def main() -> None:
    """The program `spinelabel`."""
    for stream in (sys.stdout, sys.stderr):
        # A title that the terminal has no letters for must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app(prog_name="spinelabel")
