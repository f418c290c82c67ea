"""Catalogues that arrive packed: what they are packed as, by their first bytes, and how far unpacking goes."""

import zlib
from collections.abc import Iterable, Iterator
from enum import Enum

from catalogue.errors import ArchiveDamaged, UnpackedTooLarge


class Packing(Enum):
    """What a file's first bytes say of its packing."""

    NONE = "none"
    GZIP = "gzip"
    ZIP = "zip"  # a workbook (.xlsx) is one as well


_BLOCK = 256 * 1024
# Real catalogues shrink to a third or a tenth; hundred times smaller is a trap, or not worth the risk.
_LARGEST_RATIO = 100
_RATIO_COUNTS_FROM = 64 * 1024 * 1024


def recognise_packing(head: bytes) -> Packing:
    """Return how the file that begins with `head` is packed; its name does not matter."""
    if head.startswith(b"\x1f\x8b\x08"):
        return Packing.GZIP
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Packing.ZIP
    return Packing.NONE


class Allowance:
    """Counts what is unpacked, and ends it before it fills the storage."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
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
        suspicious = max(_RATIO_COUNTS_FROM, packed_so_far * _LARGEST_RATIO)
        if self._unpacked > suspicious:
            raise UnpackedTooLarge(
                f"Unpacked, the file is more than {_LARGEST_RATIO} times as large as packed; "
                "send the catalogue unpacked, as CSV."
            )


def gunzip(blocks: Iterable[bytes], *, most_bytes: int) -> Iterator[bytes]:
    """Yield what a gzip file holds, in blocks of bounded size.

    Several members in a row are one file, as `gzip` itself reads them; what follows the last member is passed over.

    Raises:
        ArchiveDamaged: it cannot be unpacked, or ends early.
        UnpackedTooLarge: see `Allowance`.
    """
    allowance, packed = Allowance(most_bytes), 0
    member = zlib.decompressobj(wbits=31)
    waiting = b""
    for block in blocks:
        packed += len(block)
        waiting += block
        while waiting:
            if member.eof:
                if not waiting.startswith(b"\x1f"):  # padding
                    waiting = b""
                    break
                member = zlib.decompressobj(wbits=31)
            try:
                unpacked = member.decompress(waiting, _BLOCK)
            except zlib.error as error:
                raise _damaged() from error
            waiting = member.unused_data if member.eof else member.unconsumed_tail
            if unpacked:
                allowance.spend(len(unpacked), packed_so_far=packed)
                yield unpacked
    if not member.eof:
        raise _damaged()


def _damaged() -> ArchiveDamaged:
    return ArchiveDamaged(
        "The gzip file is damaged or ends early; pack the catalogue again, or send it as CSV."
    )
