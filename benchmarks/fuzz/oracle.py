"""An independent parser of catalogues, written from the documented rules.

One regular expression over the whole text finds the records, and the standard library their cells;
`catalogue` scans blocks of bytes with bounded memory. The rules are those of
`docs/decisions/0005-what-counts-as-a-row.md` and of the docstrings of `catalogue.parsing.encoding`.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

MAX_RECORD_BYTES = 4 * 1024 * 1024
_HEAD = 64 * 1024
_SEP_LINE = re.compile(r'"?sep=(.)"?[ ]*(?:\r\n?|\n|\Z)', re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LABELS = re.compile(r"(.)predicted_genre(?:_\d+)?\1confidence(?:_\d+)?\1second_genre")

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Record:
    """The cells of a record; none for a blank line."""

    cells: tuple[str, ...]
    broken: bool = False  # its quotation mark is not closed


@dataclass(frozen=True, kw_only=True)
class ParsedCatalogue:
    """The records of a catalogue, with blank lines."""

    header: tuple[str, ...]
    records: list[Record] = field(repr=False)
    line_too_long: bool = False  # parsing ends there, as documented

    @property
    def rows(self) -> list[Record]:
        """The records without blank lines."""
        return [record for record in self.records if record.cells]


def parse(content: bytes, result: bytes) -> ParsedCatalogue:
    """Parse an accepted catalogue. Delimiter and encoding are derived from its result."""
    encoding, start = encoding_of(content, result)
    text = decode(content[start:], encoding)
    if sep := _SEP_LINE.match(text):
        text = text[sep.end() :]
    unit = 2 if encoding.startswith("utf-16") else 1
    parsed = parse_text(text, delimiter_of(result), encoding, max_units=MAX_RECORD_BYTES // unit)
    records = parsed.records
    while records and not records[0].cells:
        records.pop(0)
    header = records.pop(0).cells if records else ()
    return ParsedCatalogue(header=header, records=records, line_too_long=parsed.line_too_long)


def parse_text(text: str, delimiter: str, encoding: str, *, max_units: int) -> ParsedCatalogue:
    """All records of `text`, with the header.

    Args:
        text: the decoded catalogue.
        delimiter: one character.
        encoding: of the catalogue, whose code units are counted.
        max_units: code units in a record with its line end; a longer one ends at its first line.
    """
    record = _record(delimiter)
    records: list[Record] = []
    at = 0
    while at < len(text):
        match = record.match(text, at)
        if match is not None and _units(match[0], encoding) <= max_units:
            records.append(Record(_cells(match[0], delimiter)))
            at = match.end()
            continue
        line = _LINE.match(text, at)
        assert line is not None  # it matches anything
        if _units(line[0], encoding) > max_units:
            return ParsedCatalogue(header=(), records=records, line_too_long=True)
        records.append(Record(tuple(line[0].rstrip("\r\n").split(delimiter)), broken=True))
        at = line.end()
    return ParsedCatalogue(header=(), records=records)


def delimiter_of(result: bytes) -> str:
    """The character between the label columns in the result's header."""
    match = _LABELS.search(result[: 1 << 22].decode("utf-8", "surrogateescape"))
    if match is None:
        raise ValueError("the result has no label columns")
    return match[1]


def encoding_of(content: bytes, result: bytes) -> tuple[str, int]:
    """The encoding of the catalogue and the length of its byte order mark."""
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name, len(mark)
    if not result.startswith(b"\xef\xbb\xbf"):
        return "utf-8", 0
    head = content[:_HEAD]
    if b"\0" not in head:
        return "cp1252", 0
    return ("utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"), 0


def decode(raw: bytes, encoding: str) -> str:
    """Decode as documented for invalid bytes."""
    if encoding == "utf-8":
        return raw.decode("utf-8", "surrogateescape")
    if encoding == "cp1252":
        return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in raw)
    return raw[: len(raw) // 2 * 2].decode(encoding, "replace")


def expected_cells(record: Record, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A row's cells before and after the label columns in the result."""
    cells = record.cells + ("",) * (width - len(record.cells))
    return cells[:width], cells[width:]


def _record(delimiter: str) -> re.Pattern[str]:
    # A quote opens only at the start of a field; what follows a closing quote is literal.
    d = re.escape(delimiter)
    quoted = rf'"[^"]*+(?:""[^"]*+)*+"[^{d}\r\n]*+'
    cell = rf'(?:{quoted}|[^"{d}\r\n][^{d}\r\n]*+|(?=[{d}\r\n]|\Z))'
    return re.compile(rf"{cell}(?:{d}{cell})*(?:\r\n|\r|\n|\Z)")


def _cells(record: str, delimiter: str) -> tuple[str, ...]:
    return tuple(next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter), ()))


def _units(text: str, encoding: str) -> int:
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogateescape"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if "16" in encoding else len(text)
