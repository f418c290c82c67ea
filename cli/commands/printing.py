"""Answers for programs."""

from __future__ import annotations

import json

import click


def print_json(document: object) -> None:
    """The document on standard output, in letters rather than escapes."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
