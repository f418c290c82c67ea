"""Compression: detection by magic bytes, gzip decompression, limits on decompressed size."""

import zlib
from collections.abc import Iterable, Iterator
from enum import Enum

from catalogue.errors import CorruptArchive, UnpackedTooLarge
from catalogue.limits import (
    GZIP_MEMBER_BYTES,
    MAX_RATIO,
    MAX_SMALL_GZIP_MEMBERS,
    RATIO_COUNTS_FROM,
)


class Compression(Enum):
    """The compression of a file, by its magic bytes."""

    NONE = "none"
    GZIP = "gzip"
    ZIP = "zip"  # includes workbooks (.xlsx)


_BLOCK = 256 * 1024
# The rest of a piece is copied at the end of each member, so pieces are short.
_PIECE = 16 * 1024


def detect_compression(head: bytes) -> Compression:
    """Return the compression of the file that begins with `head`."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Compression.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Compression.ZIP
    return Compression.NONE


class DecompressionLimit:
    """Limits the decompressed size of a file, absolutely and relative to its compressed size."""

    def __init__(self, max_bytes: int, *, ratio_from: int = RATIO_COUNTS_FROM) -> None:
        """`ratio_from`: decompressed bytes from which the ratio is checked."""
        self._max_bytes = max_bytes
        self._ratio_from = ratio_from
        self._unpacked = 0

    def consume(self, unpacked: int, *, packed_so_far: int) -> None:
        """Count `unpacked` more decompressed bytes.

        Raises:
            UnpackedTooLarge: the total exceeds the size limit or the ratio limit.
        """
        self._unpacked += unpacked
        if self._unpacked > self._max_bytes:
            raise UnpackedTooLarge(
                f"Unpacked, the file is larger than {self._max_bytes:,} bytes; split the catalogue "
                "into several files."
            )
        allowed = max(self._ratio_from, packed_so_far * MAX_RATIO)
        if self._unpacked > allowed:
            raise UnpackedTooLarge(
                f"Unpacked, the file is more than {MAX_RATIO} times as large as packed; "
                "send the catalogue unpacked, as CSV."
            )


def gunzip(blocks: Iterable[bytes], *, max_bytes: int) -> Iterator[bytes]:
    """Yield the decompressed content of a gzip file in blocks of bounded size.

    Members are concatenated, as `gzip` does; bytes after the last member are ignored.

    Raises:
        CorruptArchive: it is corrupt or truncated, or has too many members for its content.
        UnpackedTooLarge: see `DecompressionLimit`.
    """
    limit, packed, size = DecompressionLimit(max_bytes), 0, 0
    member, members = zlib.decompressobj(wbits=31), 1
    waiting = b""
    pieces = _pieces(blocks)
    for piece in pieces:
        packed += len(piece)
        waiting += piece
        while waiting:
            if member.eof:
                if not waiting.startswith(b"\x1f"):
                    for _ in pieces:  # consume the padding
                        pass
                    return
                member = zlib.decompressobj(wbits=31)
                members += 1
                if members > MAX_SMALL_GZIP_MEMBERS + size // GZIP_MEMBER_BYTES:
                    raise CorruptArchive(
                        f"The gzip file is made of {members:,} members, most of them empty or "
                        "nearly so; pack the "
                        "catalogue again, or send it as CSV."
                    )
            try:
                unpacked = member.decompress(waiting, _BLOCK)
            except zlib.error as error:
                raise _corrupt() from error
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if unpacked:
                size += len(unpacked)
                limit.consume(len(unpacked), packed_so_far=packed)
                yield unpacked
    if not member.eof:
        raise _corrupt()


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), _PIECE):
            yield block[start : start + _PIECE]


def _corrupt() -> CorruptArchive:
    return CorruptArchive(
        "The gzip file is damaged or ends early; pack the catalogue again, or send it as CSV."
    )
