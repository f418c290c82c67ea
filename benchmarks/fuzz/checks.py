"""What must hold for every upload. Pure: answers in, violations out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.fuzz.corpus import Case
from benchmarks.fuzz.generators import Fate
from benchmarks.fuzz.oracle import Reading, Record, delimiter_of, expected_cells, read
from catalogue.labelled.labels import LABEL_COLUMNS

_ROW_ERRORS = frozenset({"EMPTY_SUMMARY", "MALFORMED_ROW", "SUMMARY_TOO_LONG", "MODEL_REJECTED"})
_FOUND_WHEN_CONVERTED = ("WORKBOOK_UNREADABLE", "TOO_MANY_COLUMNS")
_EXTRA = len(LABEL_COLUMNS)


def check_refusal(case: Case, status: int, content_type: str, body: Mapping[str, Any]) -> list[str]:
    """A refused upload: a 4xx with a code and a sentence, for a catalogue that may be refused."""
    if not 400 <= status < 500:
        return [f"status {status}: {body}"]
    wrong = []
    if content_type != "application/problem+json" or not body.get("code"):
        wrong.append(f"a refusal without a code: {content_type} {body}")
    if len(str(body.get("detail", "")).split()) < 5:
        wrong.append(f"a refusal without a sentence: {body}")
    if case.fate is Fate.ACCEPTED:
        wrong.append(f"refused although nothing is wrong with it: {body.get('code')}")
    return wrong


def check_ended(
    case: Case, document: Mapping[str, Any], result: bytes, errors: bytes
) -> tuple[int, list[str]]:
    """An accepted upload: rows in, and what is wrong with rows out."""
    if case.fate is Fate.REFUSED:
        return 0, [f"accepted: {document['row_counts']}"]
    reading = read(case.text, result)
    wrong = _check_state(case, document, reading)
    rows = _csv(result.removeprefix(b"\xef\xbb\xbf"), delimiter_of(result))
    header, found = rows[0], rows[1:]
    if tuple(header[: len(reading.header)]) != reading.header:
        wrong.append(f"header {header[:20]} for {reading.header[:20]}")
    whole = document["state"] == "completed"
    wanted = reading.records if whole else reading.records[: len(found)]
    if len(found) != len(wanted):
        rows_out = sum(map(bool, found))
        wrong.append(f"{len(reading.rows)} rows in, {rows_out} rows out, {len(found)} lines")
    else:
        wrong += _check_rows(wanted, found, len(reading.header))
    wrong += _check_counts(document, reading, found, errors)
    return len(reading.rows), wrong


def check_jsonl(document: Mapping[str, Any], content: bytes) -> list[str]:
    """The result as JSON Lines: an object for each row, all with as many keys but for cells beyond the header."""
    rows = [json.loads(line) for line in content.splitlines()]
    widths = {
        len(row) - ("extra_cells" in row and isinstance(row["extra_cells"], list)) for row in rows
    }
    total = document["row_counts"]["total"]
    if len(rows) != total or len(widths) > 1:
        return [f"{total} rows, as JSON Lines {len(rows)} of {sorted(widths)} columns"]
    return []


def _check_state(case: Case, document: Mapping[str, Any], reading: Reading) -> list[str]:
    state, error = document["state"], document.get("error") or {}
    if case.fate is Fate.EITHER and error.get("code") in _FOUND_WHEN_CONVERTED:
        return []  # damaged or odd behind its first rows
    if reading.line_too_long:
        expected = ("failed", "LINE_TOO_LONG")
        return [] if (state, error.get("code")) == expected else [f"ended as {state}: {error}"]
    return [] if state == "completed" else [f"ended as {state}: {error}"]


def _check_rows(wanted: list[Record], found: list[list[str]], width: int) -> list[str]:
    for number, (record, row) in enumerate(zip(wanted, found, strict=True), 1):
        if not record.cells or not row:
            if record.cells or row:
                return [f"line {number}: a blank line is not where it was"]
            continue
        before, after = expected_cells(record, width)
        if tuple(row[:width]) != before or tuple(row[width + _EXTRA :]) != after:
            return [f"line {number}: cells {record.cells[:9]!r:.200} became {row!r:.200}"]
        genre, error = row[width], row[width + _EXTRA - 1]
        if bool(genre) == bool(error) or (error and error not in _ROW_ERRORS):
            return [f"line {number}: genre {genre!r} and error {error!r}"]
        if (record.broken or any(after)) and error != "MALFORMED_ROW":
            return [f"line {number}: malformed, but labelled {genre!r} {error!r}"]
    return []


def _check_counts(
    document: Mapping[str, Any], reading: Reading, found: list[list[str]], errors: bytes
) -> list[str]:
    counts, width = document["row_counts"], len(reading.header)
    failed = sum(bool(row) and bool(row[width + _EXTRA - 1]) for row in found)
    labelled = sum(map(bool, found)) - failed
    wrong = []
    if (counts["labelled"], counts["failed"]) != (labelled, failed):
        wrong.append(f"{counts}, but the result has {labelled} labelled and {failed} failed rows")
    if counts["labelled"] + counts["failed"] + counts["pending"] != counts["total"]:
        wrong.append(f"counts do not add up: {counts}")
    if document["state"] == "completed" and counts["total"] != len(reading.rows):
        wrong.append(f"{len(reading.rows)} rows in, the job counts {counts['total']}")
    listed = _csv(errors, ",")[1:]
    numbers = [n for n, row in enumerate(filter(None, found), 1) if row[width + _EXTRA - 1]]
    if [int(row[0]) for row in listed] != numbers:
        wrong.append(f"the list of errors names rows {listed[:5]}, not {numbers[:5]}")
    return wrong


def _csv(content: bytes, delimiter: str) -> list[list[str]]:
    text = content.decode("utf-8", "surrogateescape")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
