"""The quick way from text to cells gives what `csv.reader` gives, or nothing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalogue.well_formed import split_well_formed


def by_reader(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@settings(max_examples=2000, deadline=None)
@given(st.text(alphabet='ab,;"\r\n\0 \u2028', max_size=25), st.sampled_from(",;"))
@example('"""a"" b",c\r\n"",""""\n\n"x\ny"', ",")
@example('a"b,"c"\n', ",")
def test_what_it_answers_is_what_the_reader_answers(text: str, delimiter: str) -> None:
    found = split_well_formed(text, delimiter)
    assert found is None or found == by_reader(text, delimiter)


_CELLS = st.text(alphabet='ab,;"\r\n é', max_size=8)
_RECORDS = st.lists(st.lists(_CELLS, min_size=2, max_size=4), max_size=6)


@settings(max_examples=500, deadline=None)
@given(_RECORDS, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_what_is_written_properly_is_answered(
    records: list[list[str]], end: str, everything: bool
) -> None:
    stream = io.StringIO(newline="")
    # A lone CR is quoted by later Pythons alone.
    given_records = [[cell.replace("\r", "") for cell in cells] for cells in records]
    writer = csv.writer(
        stream,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL,
    )
    writer.writerows(given_records)
    assert split_well_formed(stream.getvalue(), ",") == given_records


@pytest.mark.parametrize("text", ['a"b,c\n', '"a"b,c\n', '"a,b\n', "a\0,b\n", '"a" ,b\n'])
def test_what_is_not_is_left_to_the_reader(text: str) -> None:
    assert split_well_formed(text, ",") is None
