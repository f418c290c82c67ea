"""Finds where the records of a catalogue begin and end, in one pass with bounded memory.

A record is what Python's ``csv.reader`` makes of the decoded text with ``newline=""``: a quote
opens only at the start of a field, two quotes inside are one, what follows a closing quote is
literal, and CR LF, LF or a lone CR ends a record outside quotes.

There is one exception, because a single forgotten quote must not swallow the rest of a file. When
a quoted field is not closed by the end of the file, or a record would be longer than
`MAX_RECORD_BYTES`, then the record's first physical line alone is taken as a *broken* record, and
scanning goes on at the next line.

What a record is depends on its own bytes and on those that follow, never on those before or on
how the stream is cut into blocks. So scanning may begin at any record, and a range of whole
records, scanned alone, gives the same records.
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

# The group that repeats begins with literals and ends with what cannot fail: Pythons before 3.11.5
# go wrong where a possessive group fails half-way (python/cpython#106052).
_QUOTED = re.compile(rb'[^"]*+(?:""[^"]*+)*+')
_QUOTED_IN_LINE = re.compile(rb'[^"\r\n]*+(?:""[^"\r\n]*+)*+')
_PLAIN = re.compile(rb'[^"\r\n]*+')

_NOT_ZERO = bytes([0] + [255] * 255)


class RecordSpan(NamedTuple):
    """Where a record is: byte offsets in the file, line end included."""

    start: int
    end: int
    blank: bool
    """Nothing but a line end: no row."""
    broken: bool
    """One line whose quote is never closed; to be read with quoting off."""


def scan_records(
    blocks: Iterable[bytes],
    dialect: Dialect,
    *,
    start: int = 0,
    longest_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[RecordSpan]:
    """Yield the records in `blocks`, each as soon as its end is known.

    Args:
        blocks: the file's bytes from `start` to its end, cut anywhere. Holds at most a block and
            `longest_bytes` in memory.
        dialect: only its encoding and delimiter matter.
        start: byte offset in the file of the first byte of `blocks`, which begins a record.
        longest_bytes: the longest record, line end included.

    Raises:
        LineTooLong: a line is longer than `longest_bytes`.
    """
    unit = dialect.encoding.unit
    longest = longest_bytes // unit
    delimiter = ord(dialect.delimiter)
    whole = _whole_record(dialect.delimiter)
    # One line end before the first record, so that "a quote after a line end opens" holds for all.
    buffer = b"\n"
    origin = start - unit  # file offset of buffer[0]
    record = 1  # where the current record begins in the buffer
    at, quoted = record, False  # scanned so far, and whether that is inside quotes
    # All readings that are inside quotes at any line end before `known` are in the same state
    # there: without this, a file made of broken quotes would take quadratic time.
    known, known_quoted = 0, False
    for block in _code_units(blocks, dialect.encoding):
        done = record - 1
        buffer = buffer[done:] + block
        origin += done * unit
        at, known, record = at - done, known - done, 1
        size, final = len(buffer), not block
        while record < size:
            end = 0
            if at == record and record >= known and (match := whole(buffer, record)):
                end = match.end()
            while not end:
                if quoted:
                    inside = _QUOTED_IN_LINE if at < known else _QUOTED
                    at = inside.match(buffer, at).end()  # type: ignore[union-attr]  # matches always
                    if at == size or (at + 1 == size and not final):
                        break
                    if buffer[at] == _QUOTE:
                        at, quoted = at + 1, False
                    elif at < known:
                        at, quoted = known, known_quoted
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
                known, known_quoted = at, quoted
                end = _line_end(buffer, record, longest, origin + record * unit)
            elif not end:
                break
            blank = buffer[record] in b"\r\n"
            yield RecordSpan(origin + record * unit, origin + end * unit, blank, broken)
            record = at = end
            quoted = False


@lru_cache(maxsize=16)
def _whole_record(delimiter: str) -> Callable[[bytes, int], re.Match[bytes] | None]:
    """Match a complete record in one go; where it fails, the steps above decide.

    Stray quotes in unquoted fields are left to the steps. The repetition is bounded because each
    round stays on the regex engine's stack.
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
    """Yield one byte per code unit, with ASCII as itself; an empty block says that it was all."""
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
                # Units beyond 255 become 255, which is no character that matters here.
                beyond = pairs[high : units * 2 : 2].translate(_NOT_ZERO)
                merged = int.from_bytes(pairs[low : units * 2 : 2]) | int.from_bytes(beyond)
                yield merged.to_bytes(units)
    yield b""
