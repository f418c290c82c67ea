"""Errors about a catalogue as a whole.

Each has a stable `code` for programs and a message that says what to do. An error in a single row
is data and not an exception: see `catalogue.labelled.labels.RowError`.
"""

from collections.abc import Sequence
from typing import ClassVar

_MAX_NAMES = 30
_MAX_NAME_CHARACTERS = 40


class CatalogueError(Exception):
    """The base of all errors in this package."""

    code: ClassVar[str] = "CATALOGUE_UNREADABLE"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EmptyFile(CatalogueError):
    """The file is empty or only white space."""

    code = "EMPTY_FILE"


class NotText(CatalogueError):
    """The file is binary: a workbook, an image, an archive or similar."""

    code = "NOT_TEXT"


class HeaderUnreadable(CatalogueError):
    """The header is too long or has an unclosed quotation mark."""

    code = "HEADER_UNREADABLE"


class TooManyColumns(CatalogueError):
    """The header, or a row of a workbook, has more columns than allowed."""

    code = "TOO_MANY_COLUMNS"


class NoSummaryColumn(CatalogueError):
    """No column name was recognised as the summary."""

    code = "NO_SUMMARY_COLUMN"


class SummaryColumnUnknown(CatalogueError):
    """The requested summary column is not in the header."""

    code = "SUMMARY_COLUMN_NOT_FOUND"


class TitleColumnUnknown(CatalogueError):
    """The requested title column is not in the header."""

    code = "TITLE_COLUMN_NOT_FOUND"


class NoRows(CatalogueError):
    """The file has a header but no rows."""

    code = "NO_ROWS"


class LineTooLong(CatalogueError):
    """A single line is longer than the longest record that fits into memory."""

    code = "LINE_TOO_LONG"


class InvalidGenre(CatalogueError):
    """A corrected genre is not valid."""

    code = "INVALID_GENRE"


class CorruptArchive(CatalogueError):
    """A gzip or ZIP file cannot be decompressed."""

    code = "CORRUPT_ARCHIVE"


class ArchiveEncrypted(CatalogueError):
    """A ZIP archive has a password."""

    code = "ENCRYPTED_ARCHIVE"


class EmptyArchive(CatalogueError):
    """A ZIP archive holds no file."""

    code = "EMPTY_ARCHIVE"


class MultipleFilesInArchive(CatalogueError):
    """A ZIP archive holds several files."""

    code = "MULTIPLE_FILES_IN_ARCHIVE"


class UnpackedTooLarge(CatalogueError):
    """The decompressed file exceeds the size limit or the compression ratio limit."""

    code = "UNPACKED_TOO_LARGE"


class WorkbookUnreadable(CatalogueError):
    """An Excel workbook is corrupt or not supported."""

    code = "WORKBOOK_UNREADABLE"


def format_names(header: Sequence[str]) -> str:
    """Return column or file names as a quoted list for a message, safe to print."""
    names = [_quote_name(name) for name in header[:_MAX_NAMES]]
    if len(header) > _MAX_NAMES:
        names.append(f"and {len(header) - _MAX_NAMES} more")
    return ", ".join(names)


def _quote_name(name: str) -> str:
    if not name.strip():
        return "(unnamed)"
    plain = "".join(char if char.isprintable() else "\ufffd" for char in name)
    return (
        f"“{plain[:_MAX_NAME_CHARACTERS]}…”" if len(plain) > _MAX_NAME_CHARACTERS else f"“{plain}”"
    )
