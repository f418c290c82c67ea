"""ZIP files, read with bounded memory: a directory of bounded size, members of bounded size and ratio."""

import io
import zipfile
from typing import IO, BinaryIO, cast

from catalogue.compressed.compression import DecompressionLimit
from catalogue.errors import CorruptArchive, MultipleFilesInArchive
from catalogue.limits import (
    MAX_ZIP_DIRECTORY_BYTES,
    MAX_ZIP_MEMBERS,
    RATIO_COUNTS_FROM,
)

# The library unpacks any other kind a block of packed bytes at a time, however much comes out of it.
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BoundedZip:
    """A ZIP file in a seekable stream, which stays the caller's.

    Raises `MultipleFilesInArchive` where its directory is larger than allowed, and whatever `zipfile` raises for a damaged file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._bytes = stream.seek(0, io.SEEK_END)
        # The library reads the directory in one call, before it can be asked how many entries there are.
        reads = cast(BinaryIO, _BoundedReads(stream, MAX_ZIP_DIRECTORY_BYTES))
        self._zip = zipfile.ZipFile(reads)
        if len(self._zip.filelist) > MAX_ZIP_MEMBERS:
            raise _too_many()

    @property
    def names(self) -> list[str]:
        """The members' names, in the order of the directory."""
        return self._zip.namelist()

    def size(self, name: str) -> int:
        """Bytes of a member, unpacked, as the directory says; `open` gives no more than these."""
        return self._zip.getinfo(name).file_size

    def packed_size(self, name: str) -> int:
        """Bytes of a member, packed: as the directory says, but no more than the file has."""
        return min(self._zip.getinfo(name).compress_size, self._bytes)

    def is_encrypted(self, name: str) -> bool:
        """Whether a member has a password."""
        return bool(self._zip.getinfo(name).flag_bits & 1)

    def open(self, name: str, *, most_bytes: int, ratio_from: int = RATIO_COUNTS_FROM) -> IO[bytes]:
        """Open a member; to be read in blocks.

        Args:
            most_bytes: as large as it may be, unpacked.
            ratio_from: bytes from which on the ratio of unpacked to packed size matters.

        Raises:
            KeyError: there is no such member.
            UnpackedTooLarge: see `DecompressionLimit`.
            CorruptArchive: it is packed in another way than stored or deflated.
        """
        info = self._zip.getinfo(name)
        if info.compress_type not in _KINDS:
            raise CorruptArchive(
                "The ZIP archive is packed in an unusual way; pack the catalogue again, or send it as CSV."
            )
        DecompressionLimit(most_bytes, ratio_from=ratio_from).spend(
            info.file_size, packed_so_far=self.packed_size(name)
        )
        return self._zip.open(info)


class _BoundedReads:
    """A stream of which no more than `most` bytes are read at once."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._most = most
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(data) > self._most:
            raise _too_many()
        return data


def _too_many() -> MultipleFilesInArchive:
    return MultipleFilesInArchive(
        f"The ZIP archive holds more than {MAX_ZIP_MEMBERS:,} files, or its directory is larger than "
        f"{MAX_ZIP_DIRECTORY_BYTES:,} bytes; send one catalogue at a time."
    )
