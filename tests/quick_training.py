"""Books and a configuration that train a model of no use in half a minute, for tests of what is done with models."""

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
    """A CSV of three genres; of each, the shipped data's books between the two positions."""
    with (ROOT / "data" / "books.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for genre in _GENRES:
        writer.writerows([row for row in rows if row["genre"] == genre][start:end])
    return text.getvalue()
