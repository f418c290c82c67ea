"""What can be wrong with a catalogue as a whole.

Each error has a stable `code` for programs and a sentence for the person, which says what to do.
What is wrong with a single row is data, not an error: see `catalogue.labelled.labels.RowError`.
"""

from collections.abc import Sequence
from typing import ClassVar

_LISTED_COLUMNS = 30
_LONGEST_NAME = 40


class CatalogueError(Exception):
    """The root of all errors that this package raises about a catalogue."""

    code: ClassVar[str] = "CATALOGUE_UNREADABLE"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class EmptyFile(CatalogueError):
    """The file holds nothing but white space."""

    code = "EMPTY_FILE"


class NotText(CatalogueError):
    """The file is no text: a workbook, an image, an archive or some other binary format."""

    code = "NOT_TEXT"


class HeaderUnreadable(CatalogueError):
    """The header is too long, or a quotation mark in it is never closed."""

    code = "HEADER_UNREADABLE"


class TooManyColumns(CatalogueError):
    """The header, or a row of a workbook, has more columns than allowed."""

    code = "TOO_MANY_COLUMNS"


class NoSummaryColumn(CatalogueError):
    """No column looks like the summary."""

    code = "NO_SUMMARY_COLUMN"


class SummaryColumnUnknown(CatalogueError):
    """The caller named a summary column that the header does not have."""

    code = "SUMMARY_COLUMN_NOT_FOUND"


class TitleColumnUnknown(CatalogueError):
    """The caller named a title column that the header does not have."""

    code = "TITLE_COLUMN_NOT_FOUND"


class NoRows(CatalogueError):
    """There is a header and nothing below it."""

    code = "NO_ROWS"


class LineTooLong(CatalogueError):
    """A single line is longer than the longest record: it could not be held in bounded memory."""

    code = "LINE_TOO_LONG"


class InvalidGenre(CatalogueError):
    """What a person gave as a row's genre cannot be one."""

    code = "INVALID_GENRE"


class CorruptArchive(CatalogueError):
    """A gzip or ZIP file cannot be unpacked."""

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
    """Unpacked, the file would be larger than it may be, or than its packed size makes believable."""

    code = "UNPACKED_TOO_LARGE"


class WorkbookUnreadable(CatalogueError):
    """An Excel workbook is damaged, or unusual beyond what can be read."""

    code = "WORKBOOK_UNREADABLE"


def listed(header: Sequence[str]) -> str:
    """Return the names of `header` as a quoted list for a message, safe to print anywhere."""
    names = [_shown(name) for name in header[:_LISTED_COLUMNS]]
    if len(header) > _LISTED_COLUMNS:
        names.append(f"and {len(header) - _LISTED_COLUMNS} more")
    return ", ".join(names)


def _shown(name: str) -> str:
    if not name.strip():
        return "(unnamed)"
    plain = "".join(char if char.isprintable() else "\ufffd" for char in name)
    return f"“{plain[:_LONGEST_NAME]}…”" if len(plain) > _LONGEST_NAME else f"“{plain}”"
