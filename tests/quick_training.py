"""Data and configuration that train a useless model in half a minute, for tests of its use."""

from __future__ import annotations

import csv
import io

from tests.stack import ROOT

QUICK = {
    "split": {"folds": 2},
    "text": {"max_tokens": 60, "min_count": 1},
    "embedding": {"dimensions": 8, "epochs": 1, "subsample": 0.0},
    "model": {"units": 6, "hidden": 6},
    "pretraining": {"epochs": 1},
    "training": {"epochs": 1},
}
_GENRES = ("crime", "fantasy", "travel")


def books(start: int, end: int) -> str:
    """A CSV with books `start` to `end` of three genres of the shipped data."""
    with (ROOT / "data" / "books.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for genre in _GENRES:
        writer.writerows([row for row in rows if row["genre"] == genre][start:end])
    return text.getvalue()
