"""The fast path to cells gives what `csv.reader` gives, or None for misplaced quotation marks."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalogue.parsing.csv_fast_path import split_fast


def by_reader(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def is_well_formed(text: str, delimiter: str) -> bool:
    """Whether each quotation mark opens or closes a cell or is doubled in one, by a grammar."""
    cell = rf'(?:"(?:[^"]|"")*"|[^"\r\n{delimiter}]*)'
    return "\0" not in text and bool(
        re.fullmatch(rf"(?:{cell}(?:{delimiter}|\r\n|\r|\n))*{cell}", text)
    )


@settings(max_examples=2000, deadline=None)
@given(st.text(alphabet='ab,;"\r\n\0 \u2028', max_size=25), st.sampled_from(",;"))
@example('"""a"" b",c\r\n"",""""\n\n"x\ny"', ",")
@example('a"b,"c"\n', ",")
@example('""""', ",")
def test_well_formed_text_is_split_like_csv_reader_and_other_text_is_declined(
    text: str, delimiter: str
) -> None:
    expected = by_reader(text, delimiter) if is_well_formed(text, delimiter) else None
    assert split_fast(text, delimiter) == expected


_CELLS = st.text(alphabet='ab,;"\r\n é', max_size=8)
_RECORDS = st.lists(st.lists(_CELLS, min_size=2, max_size=4), max_size=6)


@settings(max_examples=500, deadline=None)
@given(_RECORDS, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_text_written_by_csv_writer_is_split(
    records: list[list[str]], end: str, quote_all: bool
) -> None:
    stream = io.StringIO(newline="")
    # Only newer versions of Python quote a lone CR.
    written_records = [[cell.replace("\r", "") for cell in cells] for cells in records]
    writer = csv.writer(
        stream,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
    )
    writer.writerows(written_records)
    assert split_fast(stream.getvalue(), ",") == written_records


@pytest.mark.parametrize("text", ['a"b,c\n', '"a"b,c\n', '"a,b\n', "a\0,b\n", '"a" ,b\n'])
def test_malformed_text_is_declined(text: str) -> None:
    assert split_fast(text, ",") is None
