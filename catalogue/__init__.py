"""What a catalogue file is: its dialect, its columns, its rows, its texts and its label columns.

Everything here is pure: bytes and values in, bytes and values out. No file, no service and no
setting is read.
"""

from typing import TYPE_CHECKING, Any

from catalogue.chunks import ChunkRange, plan_chunks
from catalogue.columns import ColumnNames
from catalogue.dialect import Dialect, detect_dialect
from catalogue.encoding import Encoding
from catalogue.errors import (
    CatalogueError,
    EmptyFile,
    HeaderUnreadable,
    LineTooLong,
    NoRows,
    NoSummaryColumn,
    NotText,
    SummaryColumnUnknown,
    TitleColumnUnknown,
    TooManyColumns,
)
from catalogue.labels import (
    ALTERNATIVES_COLUMN,
    EVIDENCE_COLUMN,
    LABEL_COLUMNS,
    Extras,
    Label,
    Outcome,
    RowError,
    WeighedWord,
    label_columns,
)
from catalogue.layout import Layout, inspect_head
from catalogue.limits import HEAD_BYTES, MAX_RECORD_BYTES, MAX_SUMMARY_CHARACTERS
from catalogue.output import (
    encode_errors,
    encode_errors_header,
    encode_header,
    encode_rows,
    output_header,
)
from catalogue.records import Row, parse_records
from catalogue.scanning import RecordSpan, scan_records

if TYPE_CHECKING:
    from catalogue.cleaning import CLEANING_FINGERPRINT, clean_book

__all__ = [
    "ALTERNATIVES_COLUMN",
    "CLEANING_FINGERPRINT",
    "EVIDENCE_COLUMN",
    "HEAD_BYTES",
    "LABEL_COLUMNS",
    "MAX_RECORD_BYTES",
    "MAX_SUMMARY_CHARACTERS",
    "CatalogueError",
    "ChunkRange",
    "ColumnNames",
    "Dialect",
    "EmptyFile",
    "Encoding",
    "Extras",
    "HeaderUnreadable",
    "Label",
    "Layout",
    "LineTooLong",
    "NoRows",
    "NoSummaryColumn",
    "NotText",
    "Outcome",
    "RecordSpan",
    "Row",
    "RowError",
    "SummaryColumnUnknown",
    "TitleColumnUnknown",
    "TooManyColumns",
    "WeighedWord",
    "clean_book",
    "detect_dialect",
    "encode_errors",
    "encode_errors_header",
    "encode_header",
    "encode_rows",
    "inspect_head",
    "label_columns",
    "output_header",
    "parse_records",
    "plan_chunks",
    "scan_records",
]


def __getattr__(name: str) -> Any:
    # Cleaning alone needs NLTK: 14 MB that a process which only reads catalogues does not pay.
    if name in ("CLEANING_FINGERPRINT", "clean_book"):
        from catalogue import cleaning

        return getattr(cleaning, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
