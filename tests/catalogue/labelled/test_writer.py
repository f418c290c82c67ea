"""A result has the cells of its input, unchanged, under their names."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.labelled.labels import (
    EVIDENCE_COLUMN,
    LABEL_COLUMNS,
    EvidenceWord,
    Label,
    OptionalColumns,
    Outcome,
    RowError,
    RowErrorCode,
    label_columns,
)
from catalogue.labelled.writer import (
    encode_errors,
    encode_errors_header,
    encode_header,
    encode_rows,
    output_header,
)
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.rows import Row, parse_records
from catalogue.parsing.schema import CatalogueSchema, inspect_head

LABEL = Label(
    genre="fantasy",
    confidence=0.87654,
    second_genre="horror",
    second_confidence=0.1,
    genre_set=("fantasy", "horror"),
    needs_review=False,
)
CELLS = ("fantasy", "0.8765", "horror", "0.1000", "fantasy|horror", "false", "", "")
ERRORS = [RowError(code) for code in RowErrorCode] + [RowError.unsupported_language("de")]

EVIDENCE = OptionalColumns(evidence=True)


def read(raw: bytes, delimiter: str = ",") -> list[list[str]]:
    text = raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def outcomes_for(rows: list[Row]) -> list[Outcome]:
    return [None if row.blank else row.error or LABEL for row in rows]


def result(raw: bytes) -> tuple[CatalogueSchema, bytes]:
    schema = inspect_head(raw, complete=True)
    rows = parse_records(raw[schema.data_start :], schema)
    return schema, encode_header(schema) + encode_rows(schema, rows, outcomes_for(rows))


def test_a_row_has_its_cells_then_labels_then_cells_beyond_the_header() -> None:
    _, raw = result(b"id,summary\n007,a dragon\n\n2,b,c,\n3\n4,d,,\n")
    assert read(raw) == [
        ["id", "summary", *LABEL_COLUMNS],
        ["007", "a dragon", *CELLS],
        [],
        ["2", "b", "", "", "", "", "", "true", "MALFORMED_ROW", "", "c", ""],
        ["3", "", "", "", "", "", "", "true", "MALFORMED_ROW", ""],
        ["4", "d", *CELLS, "", ""],
    ]


cells = st.text(alphabet=st.sampled_from('a,;"\r\n\t |é=\ufeff\u2028\0\udcff '), max_size=8)


@given(
    st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=4),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_result_is_read_back_identically(
    records: list[list[str]], delimiter: str, line_end: str
) -> None:
    dialect = Dialect(encoding=Encoding.UTF_8, delimiter=delimiter, bom=False, line_end=line_end)
    schema = CatalogueSchema(
        dialect=dialect, header=("summary",), summary_index=0, title_index=None, data_start=0
    )
    rows = [Row(cells=tuple(record), title="", summary="", error=None) for record in records]
    raw = encode_header(schema) + encode_rows(schema, rows, [LABEL] * len(rows))
    assert read(raw, delimiter)[1:] == [[record[0], *CELLS, *record[1:]] for record in records]


@given(st.lists(st.text(alphabet='a,"\n\r é', max_size=6), min_size=3, max_size=30))
def test_every_cell_of_any_input_is_unchanged(parts: list[str]) -> None:
    source = "id,summary\nfirst,row\n" + ",".join(parts)
    schema, raw = result(source.encode())
    rows = parse_records(source.encode()[schema.data_start :], schema)
    for row, line in zip(rows, read(raw)[1:], strict=True):
        if row.blank:
            assert line == []
        else:
            assert line[:2] + line[2 + len(LABEL_COLUMNS) :] == list(row.cells)


def test_an_undecodable_byte_is_written_unchanged() -> None:
    _, raw = result("é".encode() * 3 + b"t,summary\nbad \xff byte,a dragon\n")
    assert b"bad \xff byte,a dragon,fantasy" in raw


@pytest.mark.parametrize(
    ("encoding", "prefix"),
    [
        ("utf-8", b"t"),
        ("utf-8-sig", b"\xef\xbb\xbft"),
        ("utf-16", b"\xef\xbb\xbft"),
        ("utf-16-be", b"\xef\xbb\xbft"),
        ("cp1252", b"\xef\xbb\xbft"),
    ],
)
def test_the_result_is_utf_8_with_a_byte_order_mark_unless_the_input_has_none(
    encoding: str, prefix: bytes
) -> None:
    _, raw = result("titre;summary\r\nÉtranger;Aujourd'hui\r\n".encode(encoding))
    assert raw.startswith(prefix)
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2
    assert read(raw, ";")[1][:3] == ["Étranger", "Aujourd'hui", "fantasy"]


def test_a_label_column_that_exists_in_the_catalogue_gets_a_suffix() -> None:
    header = ("Confidence", "summary", "genre_set", "GENRE_SET_2", " row_error ")
    names = label_columns(header)
    assert names[1] == "confidence_2"
    assert names[4] == "genre_set_3"
    assert names[6] == "row_error_2"
    assert names[0] == "predicted_genre"


def test_labelling_a_result_again_gives_unique_column_names() -> None:
    schema, raw = result(b"id,summary\n1,a dragon\n")
    schema_again = inspect_head(raw, complete=True)
    names = output_header(schema_again)
    assert schema_again.header == output_header(schema)
    assert len(set(names)) == len(names) == 2 + 2 * len(LABEL_COLUMNS)


def test_alternatives_are_a_column_before_evidence() -> None:
    schema = inspect_head(b"id,summary\n1,x\n", complete=True)
    label = replace(
        LABEL,
        alternatives=(("crime", 0.25), ("horror", 0.04999)),
        evidence=(EvidenceWord("dragon", 0.5),),
    )
    rows = parse_records(b"1,x\n2,\n", schema)
    outcomes: list[Outcome] = [label, RowError.EMPTY_SUMMARY]
    for options, columns, added in [
        (OptionalColumns(alternatives=2), ["alternatives"], ["crime:0.2500|horror:0.0500"]),
        (
            OptionalColumns(alternatives=2, evidence=True),
            ["alternatives", "evidence"],
            ["crime:0.2500|horror:0.0500", "dragon"],
        ),
    ]:
        header, *cells = read(
            encode_header(schema, options) + encode_rows(schema, rows, outcomes, options)
        )
        assert header[10:] == columns
        assert [row[10:] for row in cells] == [added, [""] * len(added)]


def test_evidence_is_an_optional_column() -> None:
    schema = inspect_head(b"Evidence,summary\n-,x\n", complete=True)
    words = (EvidenceWord("dragon", 0.5), EvidenceWord("wizard", 0.125))
    rows = parse_records(b"-,x\n-,x\n-,\n-,x,\n", schema)
    outcomes: list[Outcome] = [replace(LABEL, evidence=words), LABEL, RowError.EMPTY_SUMMARY, LABEL]
    raw = encode_header(schema, EVIDENCE) + encode_rows(schema, rows, outcomes, EVIDENCE)
    header, *cells = read(raw)
    assert header[-1] == output_header(schema, EVIDENCE)[-1] == f"{EVIDENCE_COLUMN}_2"
    assert [row[10] for row in cells] == ["dragon|wizard", "", "", ""]
    assert [len(row) for row in cells] == [11, 11, 11, 12]
    assert encode_rows(schema, rows, outcomes) == encode_rows(schema, rows, outcomes_for(rows))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{error.code}{error.detail}")
def test_a_row_with_an_error_has_no_label_and_needs_review(error: RowError) -> None:
    schema = inspect_head(b"summary\nx\n", complete=True)
    raw = encode_rows(schema, [Row(("x",), "", "x", None)], [error])
    assert read(raw) == [["x", "", "", "", "", "", "true", error.code.value, error.detail]]
    assert error.message.endswith(".")


def test_the_message_of_a_language_names_it() -> None:
    assert "is in German," in RowError.unsupported_language("de").message


def test_no_added_cell_is_a_formula() -> None:
    errors = [text for error in ERRORS for text in (error.code, error.detail, error.message)]
    added = [*LABEL_COLUMNS, *CELLS, "true", *errors]
    assert not [cell for cell in added if cell[:1] in set("=+-@\t\r")]


def test_the_error_list_does_not_count_blank_lines() -> None:
    schema = inspect_head(b"id,summary\n1,x\n", complete=True)
    rows = parse_records(b"1,a\n\n2,\n3,c\n4,d,e\n", schema)
    raw = encode_errors_header() + encode_errors(rows, outcomes_for(rows), first_row=11)
    listed = list(csv.DictReader(io.StringIO(raw.decode("ascii"))))
    assert [(line["row"], line["row_error"]) for line in listed] == [
        ("12", "EMPTY_SUMMARY"),
        ("14", "MALFORMED_ROW"),
    ]
    assert listed[0]["message"] == RowError.EMPTY_SUMMARY.message


def test_outcomes_that_do_not_match_the_rows_are_refused() -> None:
    schema = inspect_head(b"summary\nx\n", complete=True)
    rows = parse_records(b"a\n\n", schema)
    for wrong in ([LABEL], [None, None], [LABEL, LABEL]):
        with pytest.raises(ValueError, match=r"outcome|shorter"):
            encode_rows(schema, rows, wrong)
