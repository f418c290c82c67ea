"""ZIP files with limits on the directory, the number of members, their size and their ratio."""

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

# `zipfile` inflates other methods per compressed block, without a limit on the output.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BoundedZip:
    """A ZIP file in a seekable stream, which is not closed.

    Raises `MultipleFilesInArchive` if its directory is too large, and any error of `zipfile` for a
    corrupt file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._bytes = stream.seek(0, io.SEEK_END)
        # `zipfile` reads the whole directory before the number of entries is known.
        reads = cast(BinaryIO, _BoundedReads(stream, MAX_ZIP_DIRECTORY_BYTES))
        self._zip = zipfile.ZipFile(reads)
        if len(self._zip.filelist) > MAX_ZIP_MEMBERS:
            raise _too_many()

    @property
    def names(self) -> list[str]:
        """The names of the members, in directory order."""
        return self._zip.namelist()

    def size(self, name: str) -> int:
        """Decompressed size of a member in bytes, from the directory; `open` yields no more."""
        return self._zip.getinfo(name).file_size

    def packed_size(self, name: str) -> int:
        """Compressed size of a member in bytes by the directory, at most the size of the file."""
        return min(self._zip.getinfo(name).compress_size, self._bytes)

    def is_encrypted(self, name: str) -> bool:
        """Whether a member has a password."""
        return bool(self._zip.getinfo(name).flag_bits & 1)

    def open(self, name: str, *, max_bytes: int, ratio_from: int = RATIO_COUNTS_FROM) -> IO[bytes]:
        """Open a member for reading in blocks.

        Args:
            max_bytes: maximum decompressed size.
            ratio_from: decompressed bytes from which the ratio is checked.

        Raises:
            KeyError: there is no such member.
            UnpackedTooLarge: see `DecompressionLimit`.
            CorruptArchive: its compression method is neither stored nor deflated.
        """
        info = self._zip.getinfo(name)
        if info.compress_type not in _METHODS:
            raise CorruptArchive(
                "The ZIP archive is packed in an unusual way; pack the catalogue again, or send it "
                "as CSV."
            )
        DecompressionLimit(max_bytes, ratio_from=ratio_from).consume(
            info.file_size, packed_so_far=self.packed_size(name)
        )
        return self._zip.open(info)


class _BoundedReads:
    """A stream that rejects reads of more than `max_bytes`."""

    def __init__(self, stream: BinaryIO, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell
        self.seekable = stream.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(
            self._max_bytes + 1 if size < 0 else min(size, self._max_bytes + 1)
        )
        if len(data) > self._max_bytes:
            raise _too_many()
        return data


def _too_many() -> MultipleFilesInArchive:
    return MultipleFilesInArchive(
        f"The ZIP archive holds more than {MAX_ZIP_MEMBERS:,} files, or its directory is larger "
        "than "
        f"{MAX_ZIP_DIRECTORY_BYTES:,} bytes; send one catalogue at a time."
    )
