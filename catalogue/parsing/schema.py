"""Detects the schema of a catalogue from its first bytes: dialect, columns, start of the rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from catalogue.errors import EmptyFile, HeaderUnreadable, NoRows, TooManyColumns
from catalogue.limits import MAX_COLUMNS, MAX_HEADER_BYTES, PROBE_BYTES
from catalogue.parsing.columns import FIND_COLUMNS, ColumnNames, choose_columns
from catalogue.parsing.csv_reader import read_cells
from catalogue.parsing.dialect import Dialect, detect_dialect, preamble
from catalogue.parsing.encoding import Encoding
from catalogue.parsing.record_scanner import scan_records

_WHITE = b"\0\t\n\v\f\r "  # in UTF-16 too


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueSchema:
    """Everything needed to read any range of whole records of a catalogue."""

    dialect: Dialect
    header: tuple[str, ...]
    """The original column names, which may be empty or repeated."""
    summary_index: int
    title_index: int | None
    """None: the catalogue has no title."""
    data_start: int
    """Byte offset of the first record after the header."""

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as JSON types, for `from_dict`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "CatalogueSchema":
        """Return the schema of a `to_dict` result, also after JSON serialisation."""
        dialect = dict(values["dialect"])
        return cls(
            dialect=Dialect(**{**dialect, "encoding": Encoding(dialect["encoding"])}),
            header=tuple(values["header"]),
            summary_index=values["summary_index"],
            title_index=values["title_index"],
            data_start=values["data_start"],
        )


class HeaderProbe(NamedTuple):
    """Dialect and header of a file."""

    dialect: Dialect
    header: tuple[str, ...]
    data_start: int
    has_rows: bool
    """Whether a row begins in the probed bytes."""


def read_head(blocks: Iterator[bytes], *, more_than: int = PROBE_BYTES) -> tuple[bytes, bool]:
    """Return the first bytes of a file, if possible more than `more_than`, and whether it is all."""
    head = bytearray()
    for block in blocks:
        head += block
        if len(head) > more_than:
            return bytes(head), False
    return bytes(head), True


def inspect_head(
    head: bytes, *, complete: bool, names: ColumnNames = FIND_COLUMNS
) -> CatalogueSchema:
    """Return the schema of the file that begins with `head`.

    Blank lines before the header are skipped.

    Args:
        head: the first bytes of the file, of which `PROBE_BYTES` are used, or all of it.
        complete: whether `head` is the whole file.
        names: the columns that the caller chose.

    Raises:
        EmptyFile, NotText, HeaderUnreadable, TooManyColumns, NoSummaryColumn, SummaryColumnUnknown,
        TitleColumnUnknown, NoRows: it is not a catalogue; the message says what to do.
    """
    probe = probe_header(head, complete=complete)
    columns = choose_columns(probe.header, names)
    if complete and not probe.has_rows:
        raise NoRows("The file has a header but no rows; send at least one book.")
    return CatalogueSchema(
        dialect=probe.dialect,
        header=probe.header,
        summary_index=columns.summary,
        title_index=columns.title,
        data_start=probe.data_start,
    )


def probe_header(head: bytes, *, complete: bool) -> HeaderProbe:
    """Return dialect and header, without detecting the columns.

    Raises:
        EmptyFile, NotText, HeaderUnreadable, TooManyColumns.
    """
    head = head if complete else head[:PROBE_BYTES]
    dialect = detect_dialect(head, complete=complete)
    start = preamble(head, dialect)
    if not head[start:].strip(_WHITE):
        raise EmptyFile("The file is empty; send a CSV with a header line and one book per row.")
    rows = (span for span in scan_records([head[start:]], dialect, start=start) if not span.blank)
    span = next(rows)
    if span.broken or (not complete and span.end + dialect.encoding.unit > len(head)):
        raise HeaderUnreadable(
            f"The header does not end within the first {len(head):,} bytes, or a quotation mark "
            "in it is not closed; the first line must hold the column names."
        )
    header = tuple(next(read_cells(head[span.start : span.end], dialect)))
    check_header(header)
    return HeaderProbe(dialect, header, span.end, next(rows, None) is not None)


def check_header(header: Sequence[str]) -> None:
    """Check the limits on number and size of column names.

    Raises:
        TooManyColumns, HeaderUnreadable.
    """
    if len(header) > MAX_COLUMNS:
        raise TooManyColumns(
            f"The header has {len(header):,} columns, and {MAX_COLUMNS:,} are allowed; delete "
            "those that do not belong "
            "to the catalogue."
        )
    size = sum(len(name.encode("utf-8", "surrogatepass")) for name in header)
    if size > MAX_HEADER_BYTES:
        raise HeaderUnreadable(
            f"The column names are {size:,} bytes long, and {MAX_HEADER_BYTES:,} are allowed; the "
            "first line must hold "
            "the column names and nothing else."
        )
