"""Generates catalogues from the project's own books: realistic lengths, unique summaries."""

from __future__ import annotations

import csv
import itertools
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path

BOOKS = Path(__file__).parents[2] / "data" / "books.csv"
COLUMN = "summary"
# Words of a summary, about half of which remain after cleaning: log-normal, as in real catalogues.
_MEDIAN_WORDS, _SPREAD, _LONGEST_WORDS = 150, 0.55, 1500
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def write_catalogue(target: Path, rows: int, *, seed: int = 1) -> None:
    """Write sku, title and summary; the same seed gives the same rows."""
    with target.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sku", "title", COLUMN])
        for number, text in enumerate(itertools.islice(summaries(seed), rows), start=1):
            writer.writerow([f"{number:07d}", f"Book {number}", text])


def mix(target: Path, known: Path, *, new_share: float, seed: int) -> None:
    """Write `known` with the share `new_share` of its rows replaced by new ones, evenly spaced."""
    fresh = summaries(seed)
    with (
        known.open(encoding="utf-8", newline="") as before,
        target.open("w", encoding="utf-8", newline="") as stream,
    ):
        reader, writer = csv.reader(before), csv.writer(stream)
        writer.writerow(next(reader))
        interval = round(1 / new_share)
        for number, (sku, title, text) in enumerate(reader):
            writer.writerow([sku, title, text if number % interval else next(fresh)])


def summaries(seed: int) -> Iterator[str]:
    """Yield summaries without end, each from random sentences and words of the books."""
    with BOOKS.open(encoding="utf-8", newline="") as stream:
        texts = [row["summary"] for row in csv.DictReader(stream)]
    sentences = [part.split() for text in texts for part in _SENTENCE_END.split(text)]
    words = sorted({word for sentence in sentences for word in sentence if word.isalpha()})
    random_ = random.Random(seed)
    while True:
        length = random_.lognormvariate(math.log(_MEDIAN_WORDS), _SPREAD)
        length = round(min(max(length, 8), _LONGEST_WORDS))
        chosen = random_.choices(words, k=4)  # so that summaries are unique
        while len(chosen) < length:
            chosen += random_.choice(sentences)
        yield " ".join(chosen[:length])
