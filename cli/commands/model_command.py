"""`spinelabel model`: the description of the newest model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ..http.connect import client_for
from .options import json_option, server_options


@click.command()
@json_option("Print the whole description as JSON.")
@server_options
def model(as_json: bool, server: str | None, api_key: str | None, data_dir: Path) -> None:
    """Print the newest model: version, genres, metrics and review threshold."""
    from .formatting import print_json

    with client_for(server, api_key, data_dir) as client:
        document = client.model()
    if as_json:
        print_json(document)
    else:
        click.echo("\n".join(_describe(document)))


def _describe(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines that describe the model; missing fields are omitted."""
    architecture = model.get("architecture")
    yield f"{model.get('name', 'model')} version {model['version']}" + (
        f" ({architecture})" if architecture else ""
    )
    yield f"  genres            {', '.join(model['labels'])}"
    reads = "titles and summaries" if model.get("reads_title") else "summaries"
    yield f"  reads             {reads}"
    for name, value in (model.get("metrics") or {}).items():
        if isinstance(value, int | float):
            yield f"  {name.replace('_', ' '):16}  {value:.3f}"
    threshold = model.get("review_threshold")
    if isinstance(threshold, int | float):
        yield f"  needs review      below a confidence of {threshold:.3f}"
    if coverage := (model.get("conformal") or {}).get("coverage"):
        yield f"  genre_set         holds the right genre in {coverage:.0%} of rows"
    yield f"  evidence          {'yes' if model.get('evidence') else 'no'}"
    if rows := (model.get("training") or {}).get("rows"):
        yield f"  trained on        {rows:,} rows"
