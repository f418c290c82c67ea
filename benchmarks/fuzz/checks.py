"""The invariants of uploads. Pure functions: responses in, violations out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.fuzz.corpus import Case
from benchmarks.fuzz.generators import Expected
from benchmarks.fuzz.oracle import ParsedCatalogue, Record, delimiter_of, expected_cells, parse
from catalogue.labelled.labels import LABEL_COLUMNS

_ROW_ERRORS = frozenset(
    {"EMPTY_SUMMARY", "MALFORMED_ROW", "SUMMARY_TOO_LONG", "UNSUPPORTED_LANGUAGE", "MODEL_REJECTED"}
)
_FOUND_DURING_CONVERSION = ("WORKBOOK_UNREADABLE", "TOO_MANY_COLUMNS")
_LABEL_CELLS = len(LABEL_COLUMNS)
_ERROR = LABEL_COLUMNS.index("row_error")


def check_refusal(case: Case, status: int, content_type: str, body: Mapping[str, Any]) -> list[str]:
    """Check a refusal: a 4xx with a code and a sentence, for a catalogue that may be refused."""
    if not 400 <= status < 500:
        return [f"status {status}: {body}"]
    violations = []
    if content_type != "application/problem+json" or not body.get("code"):
        violations.append(f"a refusal without a code: {content_type} {body}")
    if len(str(body.get("detail", "")).split()) < 5:
        violations.append(f"a refusal without a sentence: {body}")
    if case.expected is Expected.ACCEPTED:
        violations.append(f"a valid catalogue was refused: {body.get('code')}")
    return violations


def check_ended(
    case: Case, document: Mapping[str, Any], result: bytes, errors: bytes
) -> tuple[int, list[str]]:
    """Check an accepted upload. Returns: the number of input rows, and the violations."""
    if case.expected is Expected.REFUSED:
        return 0, [f"an invalid catalogue was accepted: {document['row_counts']}"]
    parsed = parse(case.text, result)
    violations = _check_state(case, document, parsed)
    rows = _csv(result.removeprefix(b"\xef\xbb\xbf"), delimiter_of(result))
    header, lines = rows[0], rows[1:]
    if tuple(header[: len(parsed.header)]) != parsed.header:
        violations.append(f"header {header[:20]} for {parsed.header[:20]}")
    is_complete = document["state"] == "completed"
    records = parsed.records if is_complete else parsed.records[: len(lines)]
    if len(lines) != len(records):
        rows_out = sum(map(bool, lines))
        violations.append(f"{len(parsed.rows)} rows in, {rows_out} rows out, {len(lines)} lines")
    else:
        violations += _check_rows(records, lines, len(parsed.header))
    violations += _check_counts(document, parsed, lines, errors)
    return len(parsed.rows), violations


def check_jsonl(document: Mapping[str, Any], content: bytes) -> list[str]:
    """Check the JSON Lines export: one object per row with the same keys, except `extra_cells`."""
    rows = [json.loads(line) for line in content.splitlines()]
    widths = {
        len(row) - ("extra_cells" in row and isinstance(row["extra_cells"], list)) for row in rows
    }
    total = document["row_counts"]["total"]
    if len(rows) != total or len(widths) > 1:
        return [f"{total} rows, as JSON Lines {len(rows)} of {sorted(widths)} columns"]
    return []


def _check_state(case: Case, document: Mapping[str, Any], parsed: ParsedCatalogue) -> list[str]:
    state, error = document["state"], document.get("error") or {}
    if case.expected is Expected.EITHER and error.get("code") in _FOUND_DURING_CONVERSION:
        return []  # damaged after its first rows
    if parsed.line_too_long:
        expected = ("failed", "LINE_TOO_LONG")
        return [] if (state, error.get("code")) == expected else [f"ended as {state}: {error}"]
    return [] if state == "completed" else [f"ended as {state}: {error}"]


def _check_rows(records: list[Record], lines: list[list[str]], width: int) -> list[str]:
    for number, (record, row) in enumerate(zip(records, lines, strict=True), 1):
        if not record.cells or not row:
            if record.cells or row:
                return [f"line {number}: a blank line is in another place"]
            continue
        before, after = expected_cells(record, width)
        if tuple(row[:width]) != before or tuple(row[width + _LABEL_CELLS :]) != after:
            return [f"line {number}: cells {record.cells[:9]!r:.200} became {row!r:.200}"]
        genre, error = row[width], row[width + _ERROR]
        if bool(genre) == bool(error) or (error and error not in _ROW_ERRORS):
            return [f"line {number}: genre {genre!r} and error {error!r}"]
        if (record.broken or any(after)) and error != "MALFORMED_ROW":
            return [f"line {number}: a malformed row has {genre!r} and {error!r}"]
    return []


def _check_counts(
    document: Mapping[str, Any], parsed: ParsedCatalogue, lines: list[list[str]], errors: bytes
) -> list[str]:
    counts, width = document["row_counts"], len(parsed.header)
    failed = sum(bool(row) and bool(row[width + _ERROR]) for row in lines)
    labelled = sum(map(bool, lines)) - failed
    violations = []
    if (counts["labelled"], counts["failed"]) != (labelled, failed):
        violations.append(
            f"{counts}, but the result has {labelled} labelled and {failed} failed rows"
        )
    if counts["labelled"] + counts["failed"] + counts["pending"] != counts["total"]:
        violations.append(f"counts do not add up: {counts}")
    if document["state"] == "completed" and counts["total"] != len(parsed.rows):
        violations.append(f"{len(parsed.rows)} rows in, the job counts {counts['total']}")
    listed = _csv(errors, ",")[1:]
    numbers = [n for n, row in enumerate(filter(None, lines), 1) if row[width + _ERROR]]
    if [int(row[0]) for row in listed] != numbers:
        violations.append(f"the error list has rows {listed[:5]}, not {numbers[:5]}")
    return violations


def _csv(content: bytes, delimiter: str) -> list[list[str]]:
    text = content.decode("utf-8", "surrogateescape")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
