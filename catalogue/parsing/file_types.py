"""Detects binary files that are uploaded instead of a CSV, for a helpful error message."""

from typing import NamedTuple


class FileType(NamedTuple):
    """A binary format: its name and what to do instead."""

    what: str
    action: str


_SAVE_AS = "open it in the spreadsheet program and save it as “CSV UTF-8”"
_UNPACK = "unpack it and send the CSV file inside"
_EXPORT = "export the catalogue as CSV from the program that holds it"

_WORKBOOK = FileType("an Excel workbook", _SAVE_AS)
_OLD_WORKBOOK = FileType(
    "an Excel workbook that is old or has a password",
    "save it as .xlsx without a password, or as “CSV UTF-8”",
)
_ZIP = FileType("a ZIP archive", _UNPACK)

# The names of members are near the beginning of a ZIP archive.
_INSIDE_ZIP = (
    (b"xl/", _WORKBOOK),
    (b"opendocument.spreadsheet", FileType("an OpenDocument spreadsheet", _SAVE_AS)),
    (b"Index/Document.iwa", FileType("a Numbers spreadsheet", _SAVE_AS)),
    (b"word/", FileType("a Word document", _EXPORT)),
    (b"epub", FileType("an e-book", _EXPORT)),
)

_BY_FIRST_BYTES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_WORKBOOK),
    (b"%PDF-", FileType("a PDF", _EXPORT)),
    (b"\x1f\x8b", FileType("a gzip archive", _UNPACK)),
    (b"BZh", FileType("a bzip2 archive", _UNPACK)),
    (b"\xfd7zXZ\x00", FileType("an xz archive", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", FileType("a zstd archive", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", FileType("a 7-Zip archive", _UNPACK)),
    (b"Rar!\x1a\x07", FileType("a RAR archive", _UNPACK)),
    (b"\x89PNG\r\n\x1a\n", FileType("a PNG image", _EXPORT)),
    (b"\xff\xd8\xff", FileType("a JPEG image", _EXPORT)),
    (b"GIF8", FileType("a GIF image", _EXPORT)),
    (b"SQLite format 3\x00", FileType("an SQLite database", _EXPORT)),
    (b"PAR1", FileType("a Parquet file", _EXPORT)),
    (b"{\\rtf", FileType("a rich text document", _EXPORT)),
    (b"\xff\xfe\x00\x00", FileType("text in UTF-32", "save it as UTF-8")),
    (b"\x00\x00\xfe\xff", FileType("text in UTF-32", "save it as UTF-8")),
)


def detect_binary_type(head: bytes) -> FileType | None:
    """Return the binary type of the file that begins with `head`, None if unknown."""
    if head.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _INSIDE_ZIP if mark in head), _ZIP)
    return next((kind for magic, kind in _BY_FIRST_BYTES if head.startswith(magic)), None)
