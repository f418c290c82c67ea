"""The invariants of jobs under faults. Pure functions: documents and bytes in, violations out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.chaos.catalogues import HEADER, Catalogue, failed_rows, result_width
from catalogue.labelled.labels import LABEL_COLUMNS

TERMINAL = frozenset({"completed", "failed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The violations of one job, if there are any."""

    violations: tuple[str, ...] = ()
    lost_rows: int = 0  # input rows that are missing in the result
    wrong_rows: int = 0  # result rows that differ from the reference result or are superfluous


def check_counts(document: Mapping[str, Any]) -> list[str]:
    """At any time: labelled + failed + pending = total, and no count is negative."""
    counts = document["row_counts"]
    if min(counts.values()) < 0:
        return [f"a row count is negative: {counts}"]
    if counts["labelled"] + counts["failed"] + counts["pending"] != counts["total"]:
        return [f"row counts do not add up: {counts}"]
    return []


def check_ended(
    document: Mapping[str, Any], result: bytes, catalogue: Catalogue, reference: bytes
) -> CheckResult:
    """Check state, counts, rows and bytes of a job that was not cancelled.

    Args:
        document: the job as `GET /v1/jobs/{id}` returns it.
        result: its result.
        catalogue: its input.
        reference: the result of the same catalogue in a run without faults.
    """
    violations = check_counts(document)
    if document["state"] != "completed":
        violations.append(f"the job ended as {document['state']}: {document.get('error')}")
    counts = document["row_counts"]
    expected = {
        "total": len(catalogue.rows),
        "failed": failed_rows(catalogue),
        "labelled": len(catalogue.rows) - failed_rows(catalogue),
        "pending": 0,
    }
    if counts != expected:
        violations.append(f"row counts are {counts}, expected {expected}")
    lost, different = compare_rows(result, catalogue, reference)
    if lost:
        violations.append(f"{lost} rows are missing from the result")
    if different:
        violations.append(f"{different} rows differ from the reference result")
    if result != reference and not (lost or different):
        violations.append("the result's bytes differ from the reference result")
    return CheckResult(violations=tuple(violations), lost_rows=lost, wrong_rows=different)


def check_cancelled(
    document: Mapping[str, Any], result: bytes, catalogue: Catalogue, reference: bytes
) -> CheckResult:
    """Check a job that was cancelled, or completed before: its partial result and its counts."""
    if document["state"] == "completed":
        return check_ended(document, result, catalogue, reference)
    violations = check_counts(document)
    if document["state"] != "cancelled":
        violations.append(
            f"the cancelled job ended as {document['state']}: {document.get('error')}"
        )
    reference_rows = set(read_rows(reference))
    rows = read_rows(result)
    counts = document["row_counts"]
    if len(rows) - 1 != counts["labelled"] + counts["failed"]:
        violations.append(f"{len(rows) - 1} rows in the partial result, the job says {counts}")
    different = sum(row not in reference_rows for row in rows)
    if different:
        violations.append(f"{different} rows of the partial result are not in the reference result")
    order = [row[0] for row in rows[1:]]
    if order != sorted(set(order)):
        violations.append("rows of the partial result are out of order or repeated")
    return CheckResult(violations=tuple(violations), wrong_rows=different)


def compare_rows(result: bytes, catalogue: Catalogue, reference: bytes) -> tuple[int, int]:
    """The number of input rows that the result lacks, and of its rows that are wrong.

    Rows are identified by their first cell, which is unique.
    """
    rows, expected = read_rows(result), read_rows(reference)
    by_id = {row[0]: row for row in expected[1:]}
    ids = [row[0] for row in rows[1:] if row]
    lost = sum(row[0] not in set(ids) for row in catalogue.rows) if ids else len(catalogue.rows)
    wrong = sum(bool(row) and by_id.get(row[0]) != row for row in rows[1:])
    wrong += len(ids) - len(set(ids))  # repeated
    if not (lost or wrong) and ids != [row[0] for row in catalogue.rows]:
        wrong = sum(a != row[0] for a, row in zip(ids, catalogue.rows, strict=False))
    return lost, wrong


def check_reference(catalogue: Catalogue, reference: bytes) -> list[str]:
    """Check the reference result: cells of the input in order, a genre or an error in each row."""
    rows = read_rows(reference)
    violations = []
    if [row[: len(HEADER)] for row in rows[1:]] != list(catalogue.rows):
        violations.append(f"{catalogue.name}: the reference result does not have the input's rows")
    if any(len(row) != result_width() for row in rows):
        violations.append(f"{catalogue.name}: a row of the reference result has a wrong width")
    error = len(HEADER) + LABEL_COLUMNS.index("row_error")
    if any(bool(row[len(HEADER)]) == bool(row[error]) for row in rows[1:]):
        violations.append(f"{catalogue.name}: a row has both or neither of a genre and an error")
    return violations


def read_rows(content: bytes) -> list[tuple[str, ...]]:
    """All rows, with the header; blank lines are empty tuples."""
    text = content.decode("utf-8", "surrogateescape")
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
