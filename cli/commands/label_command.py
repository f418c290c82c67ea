"""`spinelabel label`: catalogues in, labelled catalogues out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .error_handling import install_signal_handlers
from .options import json_option, model_root_option, quiet_option, server_options

if TYPE_CHECKING:
    from ..batch.run import Catalogue


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Where the labelled catalogue of a single FILE goes; - is standard output. "
    "Default: NAME.labelled.csv next to FILE.",
)
@click.option(
    "-d",
    "--output-dir",
    type=click.Path(path_type=Path),
    help="Folder for the labelled catalogues. Default: each next to its FILE.",
)
@click.option(
    "--jobs-at-once",
    type=click.IntRange(1, 32),
    default=4,
    show_default=True,
    help="Maximum files labelled at a time.",
)
@click.option(
    "--summary-column", metavar="NAME", help="Column of the summaries. Default: detected by name."
)
@click.option(
    "--title-column",
    metavar="NAME",
    help="Column of the titles, which are read together with the summaries. Default: detected by "
    "name. "
    "Name the summary column to read no titles.",
)
@click.option(
    "--evidence", is_flag=True, help="Add a column with the most influential words. Takes longer."
)
@click.option(
    "--alternatives",
    type=click.IntRange(0, 50),
    default=0,
    metavar="N",
    help="Add a column with the N likeliest genres after the first, and their probabilities.",
)
@click.option(
    "--neutralise-formulas",
    is_flag=True,
    help="Put an apostrophe in front of cells that a spreadsheet would run as formulas. Changes "
    "values.",
)
@click.option(
    "--again", is_flag=True, help="Label files again that were labelled within the last day."
)
@json_option("Print files, results and jobs as a JSON list.")
@quiet_option
@server_options
@model_root_option
def label(
    files: tuple[str, ...],
    output: Path | None,
    output_dir: Path | None,
    jobs_at_once: int,
    summary_column: str | None,
    title_column: str | None,
    evidence: bool,
    alternatives: int,
    neutralise_formulas: bool,
    again: bool,
    as_json: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
    model_root: Path | None,
) -> None:
    """Label catalogues, and print where the labelled ones are.

    A FILE may be a pattern such as '*.csv', or - for standard input, whose labelled catalogue goes
    to standard output. If one fails, the others continue; the exit code is then the highest of all.

    Without --server it uses the running local stack of the data folder, or starts one for this
    command. After Ctrl-C the same command continues with the same jobs.
    """
    from ..batch.command import LabelCommand
    from ..batch.command import label as run
    from ..batch.targets import STREAM, pair_files
    from ..errors import BadInput
    from ..http.label_options import LabelOptions
    from ..local_stack.settings import LocalStackSettings
    from .display import display_for
    from .formatting import print_json

    install_signal_handlers()
    pairs, skipped = pair_files(files, output=output, output_dir=output_dir)
    to_stream = any(pair.target == STREAM for pair in pairs)
    if to_stream and as_json:
        raise BadInput("Standard output cannot carry both the catalogue and JSON; add -o FILE.")
    request = LabelCommand(
        pairs=pairs,
        stack_settings=LocalStackSettings(data_dir=data_dir, model_root=model_root),
        options=LabelOptions(
            summary_column=summary_column,
            title_column=title_column,
            evidence=evidence,
            alternatives=alternatives,
            neutralise_formulas=neutralise_formulas,
        ),
        server=server,
        api_key=api_key,
        max_jobs=jobs_at_once,
        again=again,
    )
    with display_for(quiet=quiet) as display:
        for path in skipped:
            display.note(f"{path} is the result of another of these files; it is skipped.")
        catalogues = run(request, display)
    if as_json:
        print_json([_document(catalogue) for catalogue in catalogues])
    elif not to_stream:
        for catalogue in catalogues:
            if catalogue.is_downloaded:
                click.echo(catalogue.files.target)
    _end(catalogues)


def _end(catalogues: list[Catalogue]) -> None:
    """Print the errors and exit with the highest exit code."""
    errors = [c.error for c in catalogues if c.error is not None]
    if errors and len(catalogues) == 1:
        raise errors[0]
    for catalogue in catalogues:
        if catalogue.error is not None:
            click.echo(f"Error: {catalogue.files.source}: {catalogue.error}", err=True)
    if errors:
        done = len(catalogues) - len(errors)
        click.echo(f"{done} of {len(catalogues)} catalogues labelled.", err=True)
        raise click.exceptions.Exit(max(error.exit_code for error in errors))


def _document(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "file": str(catalogue.files.source),
        "output": str(catalogue.files.target) if catalogue.is_downloaded else None,
        "error": str(catalogue.error) if catalogue.error is not None else None,
        "job": catalogue.job.raw if catalogue.job is not None else None,
    }
