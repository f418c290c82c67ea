"""ZIP archives: the one table inside, or the workbook that the archive is."""

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
    listed,
)

_BLOCK = 256 * 1024
# What operating systems leave in archives beside the files that people put there.
_LITTER = ("__MACOSX/", ".", "Thumbs.db", "desktop.ini")


class ZipArchive:
    """A ZIP file that is read from a seekable stream, which stays the caller's.

    Raises `CorruptArchive`, and `MultipleFilesInArchive` where it has more members or a larger directory than allowed; errors of
    the stream itself pass through.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with translate_decode_errors(_damaged):
            self._zip = BoundedZip(stream)

    @property
    def is_workbook(self) -> bool:
        """Whether it is an Excel workbook (.xlsx)."""
        names = self._zip.names
        return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)

    def table(self) -> str:
        """Return the name of the only file inside; what systems add by themselves does not count.

        Raises:
            EmptyArchive: there is none.
            MultipleFilesInArchive: there are several.
            ArchiveEncrypted: it has a password.
        """
        names = [name for name in self._zip.names if _is_file(name)]
        if not names:
            raise EmptyArchive(
                "The ZIP archive holds no file; put one CSV file into it, or send the file itself."
            )
        if len(names) > 1:
            raise MultipleFilesInArchive(
                f"The ZIP archive holds several files: {listed(names)}. Send one catalogue at a time."
            )
        if self._zip.is_encrypted(names[0]):
            raise ArchiveEncrypted(
                "The ZIP archive has a password; pack the catalogue without one, or send it as CSV."
            )
        return names[0]

    def size(self, name: str) -> int:
        """How many bytes a file inside has, unpacked, as the archive says."""
        return self._zip.size(name)

    def read(self, name: str, *, most_bytes: int) -> Iterator[bytes]:
        """Yield what a file inside holds, in blocks of bounded size.

        Raises:
            CorruptArchive, and UnpackedTooLarge as `DecompressionLimit` does.
        """
        with (
            translate_decode_errors(_damaged),
            self._zip.open(name, most_bytes=most_bytes) as member,
        ):
            while block := member.read(_BLOCK):
                yield block


def _is_file(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        not name.endswith("/")
        and not name.startswith(_LITTER)
        and not path.name.startswith(_LITTER)
    )


def _damaged() -> CorruptArchive:
    return CorruptArchive(
        "The ZIP archive is damaged, ends early, or is packed in an unusual way; pack the catalogue again, or send it "
        "as CSV."
    )
