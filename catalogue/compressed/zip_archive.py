"""ZIP archives: the only file inside, or a workbook."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from catalogue.compressed.decode_errors import translate_decode_errors
from catalogue.compressed.zip_file import BoundedZip
from catalogue.errors import (
    ArchiveEncrypted,
    CorruptArchive,
    EmptyArchive,
    MultipleFilesInArchive,
    format_names,
)

_BLOCK = 256 * 1024
# Files that operating systems add to archives.
_SYSTEM_FILES = ("__MACOSX/", ".", "Thumbs.db", "desktop.ini")


class ZipArchive:
    """A ZIP archive in a seekable stream, which is not closed.

    Raises `CorruptArchive`, and `MultipleFilesInArchive` if it has too many members or its
    directory is too large. Errors of the stream itself pass through.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with translate_decode_errors(_corrupt):
            self._zip = BoundedZip(stream)

    @property
    def is_workbook(self) -> bool:
        """Whether it is an Excel workbook (.xlsx)."""
        names = self._zip.names
        return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)

    def only_member(self) -> str:
        """Return the name of the only file inside; files of the operating system are ignored.

        Raises:
            EmptyArchive: there is no file.
            MultipleFilesInArchive: there are several files.
            ArchiveEncrypted: it is encrypted.
        """
        names = [name for name in self._zip.names if _is_file(name)]
        if not names:
            raise EmptyArchive(
                "The ZIP archive contains no file; add one CSV file, or send the file itself."
            )
        if len(names) > 1:
            raise MultipleFilesInArchive(
                f"The ZIP archive contains several files: {format_names(names)}. Send one "
                "catalogue at a time."
            )
        if self._zip.is_encrypted(names[0]):
            raise ArchiveEncrypted(
                "The ZIP archive is encrypted; create it without a password, or send the catalogue "
                "as CSV."
            )
        return names[0]

    def size(self, name: str) -> int:
        """Decompressed size of a file inside in bytes, from the directory."""
        return self._zip.size(name)

    def read(self, name: str, *, max_bytes: int) -> Iterator[bytes]:
        """Yield the content of a file inside in blocks of bounded size.

        Raises:
            CorruptArchive: it cannot be decompressed.
            UnpackedTooLarge: see `DecompressionLimit`.
        """
        with (
            translate_decode_errors(_corrupt),
            self._zip.open(name, max_bytes=max_bytes) as member,
        ):
            while block := member.read(_BLOCK):
                yield block


def _is_file(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        not name.endswith("/")
        and not name.startswith(_SYSTEM_FILES)
        and not path.name.startswith(_SYSTEM_FILES)
    )


def _corrupt() -> CorruptArchive:
    return CorruptArchive(
        "The ZIP archive is damaged, truncated or compressed with an unsupported method; create it "
        "again, or send "
        "the catalogue as CSV."
    )
