"""A catalogue that is big enough to be in flight while things are killed, made from the shipped sample."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "sample_catalogue.csv"
SUMMARY = "Description"


def big_catalogue(rows: int, *, seed: int = 7) -> bytes:
    """`rows` records; every summary is a different order of the words of a real one.

    Different, because repeated texts are predicted once; and in the same order for the same seed.
    """
    chance = random.Random(seed)
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        header, *books = list(csv.reader(stream))
    summary = header.index(SUMMARY)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    for index in range(rows):
        book = list(books[index % len(books)])
        words = book[summary].split(" ")
        chance.shuffle(words)
        book[summary] = " ".join(words)
        writer.writerow(book)
    return out.getvalue().encode()


def check_labelled(catalogue: bytes, labelled: bytes) -> None:
    """Every row is there, in order, with every cell's value, and has a genre or says why not."""
    before = list(csv.reader(io.StringIO(catalogue.decode(), newline="")))
    after = list(csv.reader(io.StringIO(labelled.decode("utf-8-sig"), newline="")))
    assert len(after) == len(before)
    width = len(before[0])
    assert [row[:width] for row in after] == before
    added = after[0][width:]
    genre, error = width + added.index("predicted_genre"), width + added.index("row_error")
    assert all(bool(row[genre]) != bool(row[error]) for row in after[1:])
