"""ZIP archives: the one table inside, or the workbook that the archive is."""

import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from catalogue.damage import blaming_the_file
from catalogue.errors import (
    ArchiveDamaged,
    ArchiveEncrypted,
    ArchiveWithoutTable,
    SeveralTables,
    UnpackedTooLarge,
    listed,
)
from catalogue.packing import Allowance

_BLOCK = 256 * 1024
_MOST_MEMBERS = 1_000
# What operating systems leave in archives beside the files that people put there.
_LITTER = ("__MACOSX/", ".", "Thumbs.db", "desktop.ini")


class Archive:
    """A ZIP file that is read from a seekable stream, which stays the caller's.

    Raises `ArchiveDamaged`; errors of the stream itself pass through.
    """

    def __init__(self, stream: BinaryIO) -> None:
        with blaming_the_file(_damaged):
            self._zip = zipfile.ZipFile(stream)
        if len(self._zip.infolist()) > _MOST_MEMBERS:
            raise SeveralTables(
                f"The ZIP archive holds more than {_MOST_MEMBERS:,} files; send one catalogue at a time."
            )

    @property
    def is_workbook(self) -> bool:
        """Whether it is an Excel workbook (.xlsx)."""
        names = self._zip.namelist()
        return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)

    def table(self) -> str:
        """Return the name of the only file inside; what systems add by themselves does not count.

        Raises:
            ArchiveWithoutTable: there is none.
            SeveralTables: there are several.
            ArchiveEncrypted: it has a password.
        """
        names = [name for name in self._zip.namelist() if _is_file(name)]
        if not names:
            raise ArchiveWithoutTable(
                "The ZIP archive holds no file; put one CSV file into it, or send the file itself."
            )
        if len(names) > 1:
            raise SeveralTables(
                f"The ZIP archive holds several files: {listed(names)}. Send one catalogue at a time."
            )
        if self._zip.getinfo(names[0]).flag_bits & 1:
            raise ArchiveEncrypted(
                "The ZIP archive has a password; pack the catalogue without one, or send it as CSV."
            )
        return names[0]

    def size(self, name: str) -> int:
        """How many bytes a file inside has, unpacked, as the archive says."""
        return self._zip.getinfo(name).file_size

    def read(self, name: str, *, most_bytes: int) -> Iterator[bytes]:
        """Yield what a file inside holds, in blocks of bounded size.

        Raises:
            ArchiveDamaged, and UnpackedTooLarge as `Allowance` does.
        """
        info, allowance = self._zip.getinfo(name), Allowance(most_bytes)
        if info.file_size > most_bytes:
            raise UnpackedTooLarge(
                f"Unpacked, the file is larger than {most_bytes:,} bytes; split the catalogue into several files."
            )
        with blaming_the_file(_damaged), self._zip.open(info) as member:
            while block := member.read(_BLOCK):
                allowance.spend(len(block), packed_so_far=info.compress_size)
                yield block


def _is_file(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        not name.endswith("/")
        and not name.startswith(_LITTER)
        and not path.name.startswith(_LITTER)
    )


def _damaged() -> ArchiveDamaged:
    return ArchiveDamaged(
        "The ZIP archive is damaged, ends early, or is packed in an unusual way; pack the catalogue again, or send it "
        "as CSV."
    )
