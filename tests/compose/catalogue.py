"""A catalogue large enough to be in progress during faults, made from the shipped sample."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "sample_catalogue.csv"
SUMMARY = "Description"


def large_catalogue(rows: int, *, seed: int = 7) -> bytes:
    """`rows` records; each summary has the words of a real one in a different order.

    Different, because repeated texts are predicted once; the same for the same seed.
    """
    generator = random.Random(seed)
    with SAMPLE.open(encoding="utf-8", newline="") as stream:
        header, *books = list(csv.reader(stream))
    summary = header.index(SUMMARY)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    for index in range(rows):
        book = list(books[index % len(books)])
        words = book[summary].split(" ")
        generator.shuffle(words)
        book[summary] = " ".join(words)
        writer.writerow(book)
    return out.getvalue().encode()


def check_labelled(catalogue: bytes, labelled: bytes) -> None:
    """Check that every row is there, in order and unchanged, with a genre or a row error."""
    before = list(csv.reader(io.StringIO(catalogue.decode(), newline="")))
    after = list(csv.reader(io.StringIO(labelled.decode("utf-8-sig"), newline="")))
    assert len(after) == len(before)
    width = len(before[0])
    assert [row[:width] for row in after] == before
    added = after[0][width:]
    genre, error = width + added.index("predicted_genre"), width + added.index("row_error")
    assert all(bool(row[genre]) != bool(row[error]) for row in after[1:])
