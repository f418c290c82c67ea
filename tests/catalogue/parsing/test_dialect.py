"""Detection of delimiter and line end."""

import pytest

from catalogue.parsing.dialect import Dialect, detect_dialect
from catalogue.parsing.encoding import Encoding


def detect(text: str, *, complete: bool = True) -> Dialect:
    return detect_dialect(text.encode(), complete=complete)


@pytest.mark.parametrize("delimiter", ",;\t|")
def test_the_delimiter_with_equal_cell_counts_is_detected(delimiter: str) -> None:
    header, row = ["id", "title", "summary"], ["1", '"Dune; or, sand|"', '"a, b; c | d\te\nmore"']
    text = "\n".join(delimiter.join(cells) for cells in [header, *[row] * 5])
    assert detect(text).delimiter == delimiter


def test_commas_in_texts_do_not_outvote_semicolons() -> None:
    text = "titel;preis, EUR;summary\nDune;9,99;Sand, worms, spice\nEmma;8,50;A match, maker\n"
    assert detect(text).delimiter == ";"


def test_lists_in_cells_do_not_outvote_commas() -> None:
    text = "title,genre|tags,summary\n" + "Dune,sf|sand,Worms\n" * 3
    assert detect(text).delimiter == ","


def test_the_sep_line_of_excel_takes_precedence() -> None:
    assert detect("sep=|\na,b|summary\n1,2|x\n").delimiter == "|"
    assert detect('"SEP=;"\r\na,b;summary\r\n').delimiter == ";"


def test_one_column_without_delimiters_gets_a_comma() -> None:
    assert detect("summary\nA dragon slept.\nIt woke.\n").delimiter == ","


def test_one_column_of_unquoted_texts_gets_a_delimiter_that_they_do_not_contain() -> None:
    assert detect("summary\nA dragon, asleep\nA king; a fool, again\n").delimiter == "\t"


def test_a_record_truncated_by_the_end_of_the_head_does_not_count() -> None:
    text = 'a;b;summary\n1;2;"x, y"\n1;2;"x,y,z,'
    assert detect(text, complete=False).delimiter == ";"


@pytest.mark.parametrize(
    ("text", "line_end"),
    [("a,b\r\n1,2\n", "\r\n"), ("a,b\n1,2\r\n", "\n"), ("a,b\r1,2\r", "\n"), ("a,b", "\n")],
)
def test_the_first_line_end_is_used(text: str, line_end: str) -> None:
    assert detect(text).line_end == line_end


def test_a_utf_16_file_is_detected_as_decoded_text() -> None:
    detected = detect_dialect("a;b;summary\r\n1;2;3\r\n".encode("utf-16"), complete=True)
    assert detected == Dialect(
        encoding=Encoding.UTF_16_LE, delimiter=";", bom=True, line_end="\r\n"
    )
