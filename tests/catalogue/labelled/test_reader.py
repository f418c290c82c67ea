"""A result is read row by row as it was written, from its beginning or from any row."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.errors import InvalidGenre
from catalogue.exports.csv_safe import to_formula_safe_csv
from catalogue.labelled.corrections import (
    encode_corrected,
    encode_corrected_header,
    encode_training,
    encode_training_header,
    normalise_genre,
)
from catalogue.labelled.labels import Label, OptionalColumns
from catalogue.labelled.reader import (
    ResultRow,
    ResultSchema,
    chunk_output_schema,
    inspect_result,
    read_result,
)
from catalogue.labelled.writer import encode_header, encode_rows
from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.columns import ColumnNames
from catalogue.parsing.rows import parse_records
from catalogue.parsing.schema import CatalogueSchema, inspect_head

LABEL = Label(
    genre="fantasy",
    confidence=0.5,
    second_genre="horror",
    second_confidence=0.25,
    genre_set=("fantasy", "horror"),
    needs_review=True,
)
CATALOGUE = (
    'id;Book Title;summary;extra\r\n1;Ünder;"two\nlines; and ""more""";x\r\n'
    "\r\n2;B;;\r\n3;C;text;y;shifted;\r\n4;D;last;"
)


def labelled(raw: bytes, **names: str) -> tuple[CatalogueSchema, bytes]:
    schema = inspect_head(raw, complete=True, names=ColumnNames(**names))
    rows = parse_records(raw[schema.data_start :], schema)
    outcomes = [None if row.blank else row.error or LABEL for row in rows]
    return schema, encode_header(schema) + encode_rows(schema, rows, outcomes)


def blocks(content: bytes, size: int) -> Iterator[bytes]:
    return (content[i : i + size] for i in range(0, len(content), size))


def read_all(
    content: bytes, schema: CatalogueSchema, size: int
) -> tuple[ResultSchema, list[ResultRow]]:
    result = inspect_result(blocks(content, size), schema)
    return result, list(
        read_result(blocks(content[result.data_start :], size), result, start=result.data_start)
    )


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_rows_are_those_of_csv_reader(encoding: str, size: int) -> None:
    schema, content = labelled(CATALOGUE.encode(encoding))
    result, rows = read_all(content, schema, size)
    text = content.decode("utf-8-sig")
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert list(result.header) == expected[0]
    assert [row.cells for row in rows] == expected[1:]
    rows = [row for row in rows if not row.blank]
    assert [row.number for row in rows] == [1, 2, 3, 4]
    assert [result.label(row.cells, "row_error") for row in rows] == [
        "",
        "EMPTY_SUMMARY",
        "MALFORMED_ROW",
        "",
    ]


@given(st.integers(1, 40), st.data())
def test_reading_can_resume_at_any_row(size: int, data: st.DataObject) -> None:
    schema, content = labelled(CATALOGUE.encode())
    result, rows = read_all(content, schema, size)
    index = data.draw(st.integers(0, len(rows) - 2))
    start, number = rows[index].end, rows[index + 1].number
    rest = read_result(blocks(content[start:], size), result, start=start, number=number)
    assert list(rest) == rows[index + 1 :]


def test_a_row_of_the_maximum_input_length_is_one_row() -> None:
    cell = "x" + '"' * (MAX_RECORD_BYTES - 100)  # quotation marks are doubled in the result
    schema, content = labelled(b"title,summary\n" + cell.encode() + b"\nB,text\n")
    _, rows = read_all(content, schema, 1 << 16)
    assert len(content) > 2 * MAX_RECORD_BYTES - 1000
    assert rows[0].cells[0] == cell
    assert [row.number for row in rows] == [1, 2]


def test_the_correction_is_an_added_column_and_nothing_else_changes() -> None:
    schema, content = labelled(CATALOGUE.encode())
    result, rows = read_all(content, schema, 100)
    corrected = encode_corrected_header(result) + encode_corrected(result, rows, {1: "crime"})
    before = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";"))
    after = list(csv.reader(io.StringIO(corrected.decode(), newline=""), delimiter=";"))
    width = len(before[0])
    assert [row[:width] + row[width + 1 :] for row in after] == before
    assert [row[width] for row in after if row] == ["corrected_genre", "crime", "", "", ""]
    assert corrected.count(b"\r\n") == content.count(b"\r\n")


def test_a_catalogue_column_named_corrected_genre_is_kept() -> None:
    schema, content = labelled(b"summary,Corrected_Genre\nwords,mine\n")
    result = inspect_result([content], schema)
    assert encode_corrected_header(result).rstrip().endswith(b",corrected_genre_2")


def test_corrected_rows_become_training_data() -> None:
    schema, content = labelled(CATALOGUE.encode())
    _, rows = read_all(content, schema, 100)
    lines = encode_training_header() + encode_training(schema, rows, {1: "crime", 4: "poetry"})
    assert list(csv.reader(io.StringIO(lines.decode(), newline=""))) == [
        ["title", "genre", "summary"],
        ["Ünder", "crime", 'two\nlines; and "more"'],
        ["D", "poetry", "last"],
    ]


def test_training_data_has_the_titles_of_the_title_column() -> None:
    schema, content = labelled(b"title,heading,summary\nshelf 1,Dune,worms\n", title="heading")
    _, rows = read_all(content, schema, 100)
    assert encode_training(schema, rows, {1: "science"}) == b"Dune,science,worms\n"


def test_training_data_of_a_catalogue_without_titles_has_empty_ones() -> None:
    schema, content = labelled(b"summary\nwords\n")
    _, rows = read_all(content, schema, 100)
    assert encode_training(schema, rows, {1: "crime"}) == b",crime,words\n"


def test_white_space_in_a_genre_is_normalised() -> None:
    assert normalise_genre("  science \n fiction ") == "science fiction"


@pytest.mark.parametrize(
    "genre",
    [
        "",
        "  ",
        "x" * 65,
        "=1+1",
        "-a",
        "@a",
        "+a",
        "a|b",
        "a\x00b",
        "＝1",
        "＋1",
        "－1",
        "＠a",
        "﹦1",
        "﹢1",
        "﹣1",
        "﹫a",
    ],
)
def test_a_harmful_genre_is_refused(genre: str) -> None:
    with pytest.raises(InvalidGenre, match="genre"):
        normalise_genre(genre)


@pytest.mark.parametrize("sign", "=+-@\t\r\n＝＋－＠﹦﹢﹣﹫")
def test_formula_safe_csv_puts_an_apostrophe_before_every_formula_sign(sign: str) -> None:
    result = chunk_output_schema(
        inspect_head(b"title,summary\nA,b\n", complete=True), OptionalColumns()
    )
    row = ResultRow(1, [f"{sign}HYPERLINK(A1)", "words", *[""] * 7], end=0)
    content = b"".join(to_formula_safe_csv(result, [([row], {})], corrected=False)).decode()
    cells = list(csv.reader(io.StringIO(content, newline="")))[1]
    assert cells[:2] == [f"'{sign}HYPERLINK(A1)", "words"]


def test_formula_safe_csv_does_not_change_numbers() -> None:
    result = chunk_output_schema(
        inspect_head(b"title,summary\nA,b\n", complete=True), OptionalColumns()
    )
    row = ResultRow(1, ["-1.5", "+49", *[""] * 7], end=0)
    assert b"\n-1.5,+49," in b"".join(to_formula_safe_csv(result, [([row], {})], corrected=False))
