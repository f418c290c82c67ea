"""Finds the boundaries of records in one pass with bounded memory.

Records are those of Python's ``csv.reader`` with ``newline=""``: a quote opens only at the start of
a field, two quotes inside are one, text after a closing quote is literal, and CR LF, LF or a lone
CR ends a record outside quotes.

The exception is an unclosed quote, which must not consume the rest of the file. If a quoted field
is not closed by the end of the file, or a record would exceed `MAX_RECORD_BYTES`, its first
physical line is a *broken* record, and scanning continues at the next line.

A record depends on its own bytes and on those that follow, but not on earlier bytes or on block
sizes. Scanning may therefore start at any record, and a range of whole records yields the same
records.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from catalogue.errors import LineTooLong
from catalogue.limits import MAX_RECORD_BYTES
from catalogue.parsing.dialect import Dialect
from catalogue.parsing.encoding import Encoding

_QUOTE, _CR, _LF = b'"\r\n'
_NEWLINE = re.compile(rb"\r\n?|\n")

# The repeated group begins with literals and ends with what cannot fail: before Python 3.11.5 a
# possessive group that fails half-way gives wrong matches (python/cpython#106052).
_QUOTED = re.compile(rb'[^"]*+(?:""[^"]*+)*+')
_QUOTED_IN_LINE = re.compile(rb'[^"\r\n]*+(?:""[^"\r\n]*+)*+')
_PLAIN = re.compile(rb'[^"\r\n]*+')

_NOT_ZERO = bytes([0] + [255] * 255)


class RecordSpan(NamedTuple):
    """The byte offsets of a record, line end included."""

    start: int
    end: int
    blank: bool
    """Only a line end: not a row."""
    broken: bool
    """One line with an unclosed quote, to be read without quoting."""


def scan_records(
    blocks: Iterable[bytes],
    dialect: Dialect,
    *,
    start: int = 0,
    longest_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[RecordSpan]:
    """Yield the records in `blocks`, each as soon as it is complete.

    Args:
        blocks: the bytes of the file from `start` to its end, in any sizes. At most one block and
            `longest_bytes` are in memory.
        dialect: its encoding and delimiter are used.
        start: byte offset of `blocks` in the file; a record begins there.
        longest_bytes: maximum size of a record, line end included.

    Raises:
        LineTooLong: a line is longer than `longest_bytes`.
    """
    unit = dialect.encoding.unit
    longest = longest_bytes // unit
    delimiter = ord(dialect.delimiter)
    whole = _whole_record(dialect.delimiter)
    # A line end before the first record, so that a quote after a line end opens in all cases.
    buffer = b"\n"
    origin = start - unit  # file offset of buffer[0]
    record = 1  # start of the current record in the buffer
    at, quoted = record, False  # scan position, and whether it is inside quotes
    # Every scan that is inside quotes at a line end before `memo` has the same state at `memo`.
    # Without this memo a file of broken quotes would take quadratic time.
    memo, memo_quoted = 0, False
    for block in _code_units(blocks, dialect.encoding):
        done = record - 1
        buffer = buffer[done:] + block
        origin += done * unit
        at, memo, record = at - done, memo - done, 1
        size, final = len(buffer), not block
        while record < size:
            end = 0
            if at == record and record >= memo and (match := whole(buffer, record)):
                end = match.end()
            while not end:
                if quoted:
                    inside = _QUOTED_IN_LINE if at < memo else _QUOTED
                    at = inside.match(buffer, at).end()  # type: ignore[union-attr]  # matches always
                    if at == size or (at + 1 == size and not final):
                        break
                    if buffer[at] == _QUOTE:
                        at, quoted = at + 1, False
                    elif at < memo:
                        at, quoted = memo, memo_quoted
                    continue
                at = _PLAIN.match(buffer, at).end()  # type: ignore[union-attr]  # matches always
                if at == size:
                    end = size if final else 0
                    break
                if buffer[at] == _QUOTE:
                    quoted = at == record or buffer[at - 1] == delimiter
                    at += 1
                elif buffer[at] == _LF:
                    end = at + 1
                elif at + 1 < size:
                    end = at + (2 if buffer[at + 1] == _LF else 1)
                elif final:
                    end = size
                else:
                    break
            broken = (end or size) - record > longest or (final and not end)
            if broken:
                memo, memo_quoted = at, quoted
                end = _line_end(buffer, record, longest, origin + record * unit)
            elif not end:
                break
            blank = buffer[record] in b"\r\n"
            yield RecordSpan(origin + record * unit, origin + end * unit, blank, broken)
            record = at = end
            quoted = False


@lru_cache(maxsize=16)
def _whole_record(delimiter: str) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Match a complete record with one regular expression; if it fails, the scanner decides.

    It fails on stray quotes in unquoted fields. The repetition is bounded because each iteration
    uses the stack of the regex engine.
    """
    edge = re.escape(delimiter).encode("ascii")
    return re.compile(
        rb'[^"\r\n]*+(?:(?<=[%s\r\n])"[^"]*+(?:""[^"]*+)*+"[^"\r\n]*+){0,200}(?:\r?\n|\r(?=[^\n]))'
        % edge
    ).match


def _line_end(buffer: bytes, record: int, longest: int, offset: int) -> int:
    match = _NEWLINE.search(buffer, record)
    end = match.end() if match else len(buffer)
    if end - record > longest:
        raise LineTooLong(
            f"The line that begins at byte {offset:,} is longer than {longest:,} characters; "
            "export the catalogue again with one book per line."
        )
    return end


def _code_units(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """Yield one byte per code unit, ASCII unchanged; an empty block marks the end."""
    if encoding.unit == 1:
        yield from filter(None, blocks)
    else:
        low, high = (0, 1) if encoding is Encoding.UTF_16_LE else (1, 0)
        half = b""
        for block in blocks:
            pairs = half + block
            units = len(pairs) // 2
            half = pairs[units * 2 :]
            if units:
                # Units above 255 become 255, which has no meaning in CSV.
                beyond = pairs[high : units * 2 : 2].translate(_NOT_ZERO)
                merged = int.from_bytes(pairs[low : units * 2 : 2]) | int.from_bytes(beyond)
                yield merged.to_bytes(units)
    yield b""
