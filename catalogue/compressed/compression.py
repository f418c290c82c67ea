"""Catalogues that arrive packed: what they are packed as, by their first bytes, and how far unpacking goes."""

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
    """What a file's first bytes say of its packing."""

    NONE = "none"
    GZIP = "gzip"
    ZIP = "zip"  # a workbook (.xlsx) is one as well


_BLOCK = 256 * 1024
# What is left of a piece is copied at the end of each member, so a piece is short.
_PIECE = 16 * 1024


def detect_compression(head: bytes) -> Compression:
    """Return how the file that begins with `head` is packed; its name does not matter."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Compression.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Compression.ZIP
    return Compression.NONE


class DecompressionLimit:
    """Counts what is unpacked, and ends it before it fills the storage."""

    def __init__(self, most_bytes: int, *, ratio_from: int = RATIO_COUNTS_FROM) -> None:
        """`ratio_from`: bytes from which on the ratio of unpacked to packed size matters."""
        self._most = most_bytes
        self._ratio_from = ratio_from
        self._unpacked = 0

    def spend(self, unpacked: int, *, packed_so_far: int) -> None:
        """Count `unpacked` more bytes.

        Raises:
            UnpackedTooLarge: they are too many in all, or for what they were packed in.
        """
        self._unpacked += unpacked
        if self._unpacked > self._most:
            raise UnpackedTooLarge(
                f"Unpacked, the file is larger than {self._most:,} bytes; split the catalogue into several files."
            )
        suspicious = max(self._ratio_from, packed_so_far * MAX_RATIO)
        if self._unpacked > suspicious:
            raise UnpackedTooLarge(
                f"Unpacked, the file is more than {MAX_RATIO} times as large as packed; "
                "send the catalogue unpacked, as CSV."
            )


def gunzip(blocks: Iterable[bytes], *, most_bytes: int) -> Iterator[bytes]:
    """Yield what a gzip file holds, in blocks of bounded size.

    Several members in a row are one file, as `gzip` itself reads them; what follows the last member is passed over.

    Raises:
        CorruptArchive: it cannot be unpacked, ends early, or has far more members than what they hold explains.
        UnpackedTooLarge: see `DecompressionLimit`.
    """
    allowance, packed, size = DecompressionLimit(most_bytes), 0, 0
    member, members = zlib.decompressobj(wbits=31), 1
    waiting = b""
    pieces = _pieces(blocks)
    for piece in pieces:
        packed += len(piece)
        waiting += piece
        while waiting:
            if member.eof:
                if not waiting.startswith(b"\x1f"):
                    for _ in pieces:  # padding, which is taken all the same
                        pass
                    return
                member = zlib.decompressobj(wbits=31)
                members += 1
                if members > MAX_SMALL_GZIP_MEMBERS + size // GZIP_MEMBER_BYTES:
                    raise CorruptArchive(
                        f"The gzip file is made of {members:,} members, most of them empty or nearly so; pack the "
                        "catalogue again, or send it as CSV."
                    )
            try:
                unpacked = member.decompress(waiting, _BLOCK)
            except zlib.error as error:
                raise _damaged() from error
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if unpacked:
                size += len(unpacked)
                allowance.spend(len(unpacked), packed_so_far=packed)
                yield unpacked
    if not member.eof:
        raise _damaged()


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        for start in range(0, len(block), _PIECE):
            yield block[start : start + _PIECE]


def _damaged() -> CorruptArchive:
    return CorruptArchive(
        "The gzip file is damaged or ends early; pack the catalogue again, or send it as CSV."
    )
