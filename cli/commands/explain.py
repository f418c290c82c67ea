"""`spinelabel explain`: the genre of one summary, and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import BadInput
from .error_handling import install_signal_handlers
from .options import json_option, model_root_option, quiet_option, server_options

if TYPE_CHECKING:
    from ..http.label_document import LabelDocument

_WIDEST_BAR = 24


@click.command()
@click.argument("text")
@click.option("--title", default="", help="Title of the book, read together with the summary.")
@json_option("Print everything as JSON.")
@quiet_option
@server_options
@model_root_option
def explain(
    text: str,
    title: str,
    as_json: bool,
    quiet: bool,
    server: str | None,
    api_key: str | None,
    data_dir: Path,
    model_root: Path | None,
) -> None:
    """Print the genre of the summary TEXT, its confidence, and the most influential words.

    TEXT - reads the summary from standard input. Like `label`, it uses the running local stack or
    starts one for this command.
    """
    from ..client import Client
    from ..http.connect import server_for_command
    from ..local_stack.settings import LocalStackSettings
    from .display import display_for
    from .formatting import print_json

    summary = sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text
    stack_settings = LocalStackSettings(data_dir=data_dir, model_root=model_root)
    install_signal_handlers()
    with (
        display_for(quiet=quiet) as display,
        server_for_command(server, stack_settings, display) as running,
        Client(running.url, api_key=api_key, on_waiting=lambda _: running.check()) as client,
    ):
        label = client.label(summary, title=title, evidence=True)
    if as_json:
        print_json(label.raw)
    if label.error:
        raise BadInput(label.error)
    if not as_json:
        click.echo("\n".join(describe_label(label)))


def describe_label(label: LabelDocument) -> Iterator[str]:
    """The label in lines for a person."""
    review = "please review" if label.needs_review else "confident enough to need no review"
    yield f"{label.genre}, {label.confidence:.0%}: {review}"
    yield f"  runner-up   {label.second_genre}, {label.second_confidence:.0%}"
    yield f"  one of      {', '.join(label.genre_set)}"
    if not label.evidence:
        yield "  because of  no single word"
        return
    heaviest = label.evidence[0][1]
    widest = max(len(word) for word, _ in label.evidence)
    for number, (word, weight) in enumerate(label.evidence):
        bar = "█" * max(round(_WIDEST_BAR * weight / heaviest), 1)
        yield f"  {'' if number else 'because of':10}  {word:{widest}}  {weight:4.0%}  {bar}"
