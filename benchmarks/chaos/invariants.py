"""What must hold for every job, whatever was done to the processes. Pure: documents and bytes in, violations out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.catalogues import HEADER, Catalogue, failed_rows, result_width

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is wrong with one job; nothing if `violations` is empty."""

    violations: tuple[str, ...] = ()
    lost_rows: int = 0  # input rows that are not in the result
    wrong_rows: int = 0  # result rows that differ from the undisturbed result, or are in excess


def check_counts(document: Mapping[str, Any]) -> list[str]:
    """At any time: labelled + failed + pending = total, none below zero."""
    counts = document["row_counts"]
    if min(counts.values()) < 0:
        return [f"a row count is negative: {counts}"]
    if counts["labelled"] + counts["failed"] + counts["pending"] != counts["total"]:
        return [f"row counts do not add up: {counts}"]
    return []


def check_ended(
    document: Mapping[str, Any], result: bytes, catalogue: Catalogue, undisturbed: bytes
) -> Verdict:
    """A job that ran to its end: state, counts, rows and bytes.

    Args:
        undisturbed: the result of the same catalogue when nothing was disturbed.
    """
    wrong = check_counts(document)
    if document["state"] != "completed":
        wrong.append(f"the job ended as {document['state']}: {document.get('error')}")
    counts = document["row_counts"]
    expected = {
        "total": len(catalogue.rows),
        "failed": failed_rows(catalogue),
        "labelled": len(catalogue.rows) - failed_rows(catalogue),
        "pending": 0,
    }
    if counts != expected:
        wrong.append(f"row counts are {counts}, expected {expected}")
    lost, different = compare_rows(result, catalogue, undisturbed)
    if lost:
        wrong.append(f"{lost} rows are missing from the result")
    if different:
        wrong.append(f"{different} rows differ from the undisturbed result")
    if result != undisturbed and not (lost or different):
        wrong.append("the result's bytes differ from the undisturbed result")
    return Verdict(violations=tuple(wrong), lost_rows=lost, wrong_rows=different)


def check_cancelled(
    document: Mapping[str, Any], result: bytes, catalogue: Catalogue, undisturbed: bytes
) -> Verdict:
    """A job that was cancelled (or completed before the word arrived): what it serves is right and reconciles."""
    if document["state"] == "completed":
        return check_ended(document, result, catalogue, undisturbed)
    wrong = check_counts(document)
    if document["state"] != "cancelled":
        wrong.append(f"the cancelled job ended as {document['state']}: {document.get('error')}")
    known = set(read_rows(undisturbed))
    rows = read_rows(result)
    counts = document["row_counts"]
    if len(rows) - 1 != counts["labelled"] + counts["failed"]:
        wrong.append(f"{len(rows) - 1} rows in the partial result, the job says {counts}")
    strange = sum(row not in known for row in rows)
    if strange:
        wrong.append(f"{strange} rows of the partial result are not those of the undisturbed one")
    order = [row[0] for row in rows[1:]]
    if order != sorted(set(order)):
        wrong.append("rows of the partial result are out of order or repeated")
    return Verdict(violations=tuple(wrong), wrong_rows=strange)


def compare_rows(result: bytes, catalogue: Catalogue, undisturbed: bytes) -> tuple[int, int]:
    """How many input rows the result lacks, and how many of its rows are not as they should be.

    Rows are told by their first cell, which is different in every row.
    """
    rows, expected = read_rows(result), read_rows(undisturbed)
    wanted = {row[0]: row for row in expected[1:]}
    found = [row[0] for row in rows[1:] if row]
    lost = sum(row[0] not in set(found) for row in catalogue.rows) if found else len(catalogue.rows)
    wrong = sum(bool(row) and wanted.get(row[0]) != row for row in rows[1:])
    wrong += len(found) - len(set(found))  # repeated
    if not (lost or wrong) and found != [row[0] for row in catalogue.rows]:
        wrong = sum(a != row[0] for a, row in zip(found, catalogue.rows, strict=False))
    return lost, wrong


def check_reference(catalogue: Catalogue, undisturbed: bytes) -> list[str]:
    """The undisturbed result itself: the input's cells in order, then a genre or an error in each row."""
    rows = read_rows(undisturbed)
    wrong = []
    if [row[: len(HEADER)] for row in rows[1:]] != list(catalogue.rows):
        wrong.append(f"{catalogue.name}: the undisturbed result does not hold the input's rows")
    if any(len(row) != result_width() for row in rows):
        wrong.append(f"{catalogue.name}: a row of the undisturbed result has a wrong width")
    if any(bool(row[len(HEADER)]) == bool(row[-1]) for row in rows[1:]):
        wrong.append(f"{catalogue.name}: a row has both or neither of a genre and an error")
    return wrong


def read_rows(content: bytes) -> list[tuple[str, ...]]:
    """All rows, the header first; blank lines are empty tuples."""
    text = content.decode("utf-8", "surrogateescape")
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
