"""Labelled catalogues as CSV."""

from __future__ import annotations

import csv
import io

LABEL_COLUMNS = [
    "predicted_genre",
    "confidence",
    "second_genre",
    "second_confidence",
    "genre_set",
    "needs_review",
    "row_error",
    "row_error_detail",
]


def parse_csv(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(
        csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    )
