"""The generators, the independent parser and the checks of the fuzz run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.fuzz.checks import check_ended, check_jsonl, check_refusal
from benchmarks.fuzz.corpus import Case, kinds, make_case
from benchmarks.fuzz.generators import Expected
from benchmarks.fuzz.oracle import ParsedCatalogue, Record, parse, parse_text
from catalogue.labelled.labels import LABEL_COLUMNS

LABELS = ",".join(LABEL_COLUMNS)
GOOD = "crime,0.9000,horror,0.0500,crime,false,,"
BAD = ",,,,,true,"


def records_of(text: str, max_units: int = 1000) -> list[Record]:
    return parse_text(text, ",", "utf-8", max_units=max_units).records


@given(st.text(alphabet='ab," \n\r', max_size=40))
@example('a"b\n"c""d"e,\r\n\r"x"')
def test_without_open_quotes_the_parser_agrees_with_the_standard_library(
    text: str,
) -> None:
    records = records_of(text)
    if not any(record.broken for record in records):
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert [list(record.cells) for record in records] == rows


def test_an_open_quote_breaks_its_own_line_only() -> None:
    records = records_of('1,x\n2,"open\n3,y\n')
    assert records == [
        Record(("1", "x")),
        Record(("2", '"open'), broken=True),
        Record(("3", "y")),
    ]


def test_a_record_that_is_too_long_breaks_its_first_line_only() -> None:
    records = records_of('1,"' + "line\n" * 30 + '"\n2,y\n', max_units=50)
    assert records[0] == Record(("1", '"line'), broken=True)
    assert records[-1] == Record(("2", "y"))
    assert len(records) == 32


def test_a_line_that_is_too_long_ends_the_parsing() -> None:
    assert parse_text(
        "1,x\n" + "y" * 60 + "\n2,z\n", ",", "utf-8", max_units=50
    ) == ParsedCatalogue(header=(), records=[Record(("1", "x"))], line_too_long=True)


@pytest.mark.parametrize(
    ("content", "bom"),
    [
        ("id;summary\n1;é\n".encode(), b""),
        ("sep=;\nid;summary\n1;é\n".encode(), b""),
        ("id;summary\n1;é\n".encode("utf-8-sig"), b"\xef\xbb\xbf"),
        ("id;summary\n1;é\n".encode("cp1252"), b"\xef\xbb\xbf"),
        ("id;summary\n1;é\n".encode("utf-16"), b"\xef\xbb\xbf"),
        ("id;summary\n1;é\n".encode("utf-16-be"), b"\xef\xbb\xbf"),
    ],
)
def test_the_parser_supports_the_documented_encodings(content: bytes, bom: bytes) -> None:
    result = bom + f"id;summary;{LABELS.replace(',', ';')}\n".encode()
    parsed = parse(content, result)
    assert parsed.header == ("id", "summary")
    assert parsed.rows == [Record(("1", "é"))]


def test_all_kinds_are_generated_and_depend_on_the_seed() -> None:
    cases = [make_case(number, seed=5) for number in range(900)]
    assert {case.kind for case in cases} == set(kinds())
    assert make_case(7, seed=5) == cases[7]
    assert make_case(7, seed=6) != cases[7]
    assert {case.expected for case in cases} == set(Expected)
    assert {case.form for case in cases} == {True, False}


def case_of(content: bytes, expected: Expected = Expected.EITHER) -> Case:
    return Case(number=0, kind="a test", content=content, text=content, expected=expected)


CONTENT = b'id,summary\n1,a murder\n\n2,\n3,x,shifted\n4,"open\n'
LINES = [
    f"id,summary,{LABELS}",
    f"1,a murder,{GOOD}",
    "",
    f"2,,{BAD}EMPTY_SUMMARY,",
    f"3,x,{BAD}MALFORMED_ROW,,shifted",
    f'4,"""open",{BAD}MALFORMED_ROW,',
]
ERRORS = (
    b"row,row_error,row_error_detail,message\n"
    b"2,EMPTY_SUMMARY,,m\n3,MALFORMED_ROW,,m\n4,MALFORMED_ROW,,m\n"
)


def document(state: str = "completed", **counts: int) -> Mapping[str, Any]:
    return {
        "state": state,
        "error": None,
        "row_counts": {"total": 4, "labelled": 1, "failed": 3, "pending": 0} | counts,
    }


def violations(lines: list[str], errors: bytes = ERRORS, **doc: Any) -> list[str]:
    result = "\n".join([*lines, ""]).encode()
    return check_ended(case_of(CONTENT), document(**doc), result, errors)[1]


def test_a_correct_result_passes() -> None:
    result = "\n".join([*LINES, ""]).encode()
    assert check_ended(case_of(CONTENT), document(), result, ERRORS) == (4, [])


@pytest.mark.parametrize(
    "lines",
    [
        LINES[:-1],
        [*LINES, LINES[-1]],
        [*LINES[:2], *LINES[3:]],
        [*LINES[:1], LINES[2], LINES[1], *LINES[3:]],
        [LINES[0], LINES[1].replace("a murder", "a  murder"), *LINES[2:]],
        [LINES[0], f"1,a murder,{BAD},", *LINES[2:]],
        [LINES[0], f"1,a murder,{BAD}PROCESSING_FAILED,", *LINES[2:]],
        [*LINES[:4], f"3,x,{GOOD},shifted", LINES[5]],
        [*LINES[:4], f"3,x,{BAD}MALFORMED_ROW,,", LINES[5]],
        [*LINES[:5], f'4,"""open",{GOOD}'],
        [LINES[0].replace("summary", "text"), *LINES[1:]],
    ],
)
def test_a_result_with_other_rows_is_detected(lines: list[str]) -> None:
    assert violations(lines)


def test_wrong_counts_states_and_error_lists_are_detected() -> None:
    assert violations(LINES) == []
    assert violations(LINES, labelled=2, total=5)
    assert violations(LINES, total=5, pending=1)
    assert violations(LINES, state="failed")
    assert violations(LINES, errors=ERRORS.replace(b"3,MAL", b"1,MAL"))
    assert violations(LINES, errors=b"row,row_error,row_error_detail,message\n")


def test_an_accepted_invalid_catalogue_is_detected() -> None:
    result = "\n".join([*LINES, ""]).encode()
    assert check_ended(case_of(CONTENT, Expected.REFUSED), document(), result, ERRORS)[1]


def test_a_refusal_needs_status_4xx_code_and_sentence() -> None:
    kind = "application/problem+json"
    body = {"code": "NOT_TEXT", "detail": "This does not look like text at all."}
    case = case_of(b"x")
    assert check_refusal(case, 415, kind, body) == []
    assert check_refusal(case, 500, kind, body)
    assert check_refusal(case, 415, "text/html", body)
    assert check_refusal(case, 415, kind, {"detail": body["detail"]})
    assert check_refusal(case, 415, kind, {"code": "NOT_TEXT", "detail": "No."})
    assert check_refusal(case_of(b"x", Expected.ACCEPTED), 415, kind, body)


def test_an_export_without_some_rows_or_columns_is_detected() -> None:
    rows = [b'{"a": "1", "a_2": "x", "extra_cells": ["y"]}', b'{"a": "1", "a_2": "x"}'] * 2
    assert check_jsonl(document(), b"\n".join(rows)) == []
    assert check_jsonl(document(), b"\n".join(rows[1:]))
    assert check_jsonl(document(), b"\n".join([*rows[1:], b'{"a": "1"}']))
