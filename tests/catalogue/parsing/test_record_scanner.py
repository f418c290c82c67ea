"""Records are those of the standard library's csv.reader, for any division into blocks."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalogue.errors import LineTooLong
from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding, decode
from catalogue.parsing.record_scanner import RecordSpan, scan_records

dialects = st.builds(
    Dialect,
    encoding=st.sampled_from(Encoding),
    delimiter=st.sampled_from(",;\t|"),
    bom=st.just(False),
)
texts = st.text(alphabet='aa,,;""""\n\n\r\r\t|é', max_size=60)
COMMAS = Dialect(encoding=Encoding.UTF_8, delimiter=",", bom=False)


def divide(raw: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Blocks of the given sizes, empty ones too, then the rest byte by byte."""
    for size in sizes:
        yield raw[:size]
        raw = raw[size:]
    for position in range(len(raw)):
        yield raw[position : position + 1]


def scan(text: str, *, block: int = 1 << 20) -> list[RecordSpan]:
    raw = text.encode()
    blocks = [raw[i : i + block] for i in range(0, len(raw), block)]
    return list(scan_records(blocks, COMMAS))


def lines(text: str, spans: list[RecordSpan]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


@given(texts, dialects, st.lists(st.integers(0, 7), max_size=12), st.integers(0, 50))
def test_records_are_those_of_csv_reader_and_cover_every_byte(
    text: str, dialect: Dialect, sizes: list[int], start: int
) -> None:
    raw = text.encode(dialect.encoding)
    spans = list(scan_records(divide(raw, sizes), dialect, start=start))
    assert [span.start for span in spans] == [start, *(span.end for span in spans)][:-1] or not raw
    assert not raw or spans[-1].end == start + len(raw)
    assume(not any(span.broken for span in spans))

    def read(part: str) -> list[list[str]]:
        return list(csv.reader(io.StringIO(part, newline=""), delimiter=dialect.delimiter))

    parts = [decode(raw[s.start - start : s.end - start], dialect.encoding) for s in spans]
    assert [read(part) for part in parts] == [[record] for record in read(text)]
    assert [span.blank for span in spans] == [not record for record in read(text)]


@given(texts, dialects, st.lists(st.integers(0, 7), max_size=12))
def test_the_division_into_blocks_does_not_matter(
    text: str, dialect: Dialect, sizes: list[int]
) -> None:
    raw = text.encode(dialect.encoding)
    assert list(scan_records(divide(raw, sizes), dialect)) == list(scan_records([raw], dialect))


@given(texts, dialects)
def test_scanning_from_any_record_gives_the_same_records(text: str, dialect: Dialect) -> None:
    raw = text.encode(dialect.encoding)
    spans = list(scan_records([raw], dialect))
    for index, span in enumerate(spans):
        assert list(scan_records([raw[span.start :]], dialect, start=span.start)) == spans[index:]


@given(texts, dialects)
def test_a_range_of_whole_records_alone_gives_the_same_records(text: str, dialect: Dialect) -> None:
    raw = text.encode(dialect.encoding)
    spans = list(scan_records([raw], dialect))
    for index, span in enumerate(spans):
        assert list(scan_records([raw[: span.end]], dialect)) == spans[: index + 1]


def test_an_unclosed_quote_breaks_one_line_only() -> None:
    text = 'a,"b\r\nc,"d\ne",f\n"g\nh,i'
    spans = scan(text)
    assert lines(text, spans) == ['a,"b\r\nc,"d\n', 'e",f\n', '"g\n', "h,i"]
    assert [span.broken for span in spans] == [False, False, True, False]


def test_a_record_may_be_as_long_as_the_limit() -> None:
    fits = '"\n' + "x" * (MAX_RECORD_BYTES - 4) + '"\n'
    spans = scan(fits + "a,b\n")
    assert [(s.end - s.start, s.broken) for s in spans] == [(MAX_RECORD_BYTES, False), (4, False)]
    line = "x" * 99 + "\n"
    too_long = '"a,b\n' + line * (MAX_RECORD_BYTES // 100 + 1) + '"\nlast,row\n'
    for block in (1_000_003, 1 << 30):
        spans = scan(too_long, block=block)
        assert spans[0] == RecordSpan(0, 5, blank=False, broken=True)
        assert lines(too_long, spans[1:3]) == [line, line]
        assert lines(too_long, spans[-2:]) == ['"\n', "last,row\n"]


@pytest.mark.parametrize("block", [1 << 16, 1 << 30])
@pytest.mark.parametrize("line", ["x" * (MAX_RECORD_BYTES + 1), '"' + "x" * MAX_RECORD_BYTES])
def test_a_line_above_the_limit_is_an_error_with_its_position(line: str, block: int) -> None:
    with pytest.raises(LineTooLong, match=re.escape("begins at byte 4 ")):
        scan("a,b\n" + line, block=block)


def test_a_long_line_is_not_held_in_memory() -> None:
    blocks_read = 0

    def endless() -> Iterator[bytes]:
        nonlocal blocks_read
        while True:
            blocks_read += 1
            yield b"x" * (1 << 20)

    with pytest.raises(LineTooLong):
        list(scan_records(endless(), COMMAS))
    assert blocks_read <= 6


def test_many_broken_quotes_take_linear_time() -> None:
    # A scanner that starts again at each line would take hours.
    text = 'a"' + ',"b\na"' * 1_000_000
    spans = scan(text)
    assert spans[0].broken
    assert spans[-1].end == len(text)


def test_records_are_yielded_before_the_file_is_read_completely() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"a,b\nc"
        raise AssertionError("read more than the first record needs")

    assert next(scan_records(blocks(), COMMAS)).end == 4


def test_an_incomplete_code_unit_at_the_end_is_ignored() -> None:
    dialect = Dialect(encoding=Encoding.UTF_16_LE, delimiter=",", bom=True)
    spans = list(scan_records(["a,b\nc".encode("utf-16-le") + b"x"], dialect))
    assert [span.end for span in spans] == [8, 10]


def test_characters_with_the_bytes_of_a_quote_or_line_end_are_no_delimiters() -> None:
    text = "\u2200\u220a\u0a22\u0d0d\u2c2c,\u2222\n"
    for encoding in (Encoding.UTF_16_LE, Encoding.UTF_16_BE):
        dialect = Dialect(encoding=encoding, delimiter=",", bom=True)
        assert len(list(scan_records([text.encode(encoding)], dialect))) == 1
