"""Reads a labelled catalogue and counts its rows."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

# A cell may be as long as the file; the reader's own limit is 128 KiB.
_LONGEST_CELL = 2**31 - 1
_DELIMITERS = ",;\t|"
# As docs/api.md documents the result; `tests/cli/batch/test_labelled_file.py` compares with the
# server's.
LABEL_COLUMNS = (
    "predicted_genre",
    "confidence",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
    "row_error_detail",
)
OPTIONAL_COLUMNS = ("alternatives", "evidence")
_LAYOUTS = [
    (*LABEL_COLUMNS, *optional)
    for optional in ((), OPTIONAL_COLUMNS[1:], OPTIONAL_COLUMNS[:1], OPTIONAL_COLUMNS)
]


@dataclass(frozen=True, kw_only=True)
class LabelledRow:
    """One row of the result: the catalogue's own cells by column, and what was added."""

    own: dict[str, str]
    genre: str
    confidence: float | None
    needs_review: bool
    error: str


@dataclass
class Tally:
    """Counts over a labelled catalogue. Rows in error have no genre, but do need review."""

    rows: int = 0
    needs_review: int = 0
    genres: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, row: LabelledRow) -> None:
        """Count one row."""
        self.rows += 1
        self.needs_review += row.needs_review
        if row.error:
            self.errors[row.error] += 1
        else:
            self.genres[row.genre] += 1


def read_labelled(path: Path) -> Iterator[LabelledRow]:
    """The rows in order. Raises OSError, and ValueError if the file is no labelled catalogue."""
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader, header, added = _reader(stream)
        width = len(header) - len(added)
        for cells in reader:
            if not cells:  # blank lines stay as they are
                continue
            labels = dict(zip(added, cells[width : len(header)], strict=True))
            yield LabelledRow(
                own=dict(zip(header[:width], cells[:width], strict=True)),
                genre=labels["predicted_genre"],
                confidence=float(labels["confidence"]) if labels["confidence"] else None,
                needs_review=labels["needs_review"] == "true",
                error=labels["row_error"],
            )


def _reader(stream: IO[str]) -> tuple[Iterator[list[str]], list[str], tuple[str, ...]]:
    """Return the rows, the header and the label columns at its end.

    Tries each delimiter until the header ends with label columns.
    """
    for delimiter in _DELIMITERS:
        stream.seek(0)
        reader = csv.reader(stream, delimiter=delimiter)
        with suppress(StopIteration):
            header = next(reader)
            for columns in _LAYOUTS:
                added = header[-len(columns) :]
                # A suffix distinguishes a label column from a column of the catalogue with the same
                # name.
                if len(added) == len(columns) and all(map(str.startswith, added, columns)):
                    return reader, header, columns
    raise ValueError("this is no labelled catalogue")
