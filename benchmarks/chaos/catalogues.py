"""Catalogues for the chaos run: different sizes, some rows without summary, a unique first cell."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass

from catalogue.labelled.labels import LABEL_COLUMNS

HEADER = ("sku", "title", "summary")
# Rows of the catalogues; with chunks of 10 rows, from a few steps to hundreds.
SIZES = (45, 160, 700, 2600)

_WORDS = (
    *("murder", "detective", "castle", "dragon", "love", "letter", "empire", "war", "ghost"),
    *("mirror", "brain", "memory", "planet", "atom", "match", "league", "spy", "bomb", "train"),
)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """An input file and its rows."""

    name: str
    content: bytes
    rows: tuple[tuple[str, ...], ...]


def make_catalogues(seed: int) -> list[Catalogue]:
    """One catalogue of each size; the same seed gives the same catalogues."""
    return [make_catalogue(f"c{size}", size, random.Random(f"{seed}/{size}")) for size in SIZES]


def make_catalogue(name: str, rows: int, random_: random.Random) -> Catalogue:
    """Rows with quoted line breaks, quotes and delimiters; one in twenty has no summary."""
    generated = []
    for number in range(rows):
        words = random_.choices(_WORDS, k=random_.randint(4, 40))
        text = " ".join(words)
        if number % 7 == 0:
            text = text.replace(" ", ",\n", 1) + ' said "no"'
        if number % 20 == 19:
            text = ""
        generated.append((f"{name}-{number:06d}", f"Book, volume {number}", text))
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerows([HEADER, *generated])
    return Catalogue(name=name, content=stream.getvalue().encode(), rows=tuple(generated))


def failed_rows(catalogue: Catalogue) -> int:
    """Number of rows without summary."""
    return sum(not row[2] for row in catalogue.rows)


def result_width() -> int:
    """Number of columns of a result."""
    return len(HEADER) + len(LABEL_COLUMNS)
