"""A workbook's shared texts, read as far as they are asked for and kept packed: memory stays well below their size."""

import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator

from catalogue.errors import UnpackedTooLarge

_GROUP_BYTES = 64 * 1024
_OPEN_BYTES = 8 * 1024 * 1024


class SharedStrings:
    """Texts by number. A number beyond the last text raises `IndexError`."""

    def __init__(self, texts: Iterator[str], *, most_bytes: int) -> None:
        """`texts` in their order; in all they may have `most_bytes` in UTF-8."""
        self._texts = texts
        self._most = most_bytes
        self._bytes = 0
        self._groups: list[bytes] = []  # packed, each of whole texts
        self._first = array("L")  # number of each group's first text
        self._ends: list[array[int]] = []  # of each group's texts, in its bytes
        self._count = 0
        self._open: OrderedDict[int, bytes] = OrderedDict()
        self._open_bytes = 0
        self._waiting: bytes | None = None  # a text that was read and is in no group yet

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        while number >= self._count:
            if not self._read_group():
                raise IndexError(number)
        group = self._group_of(number)
        texts, ends = self._unpacked(group), self._ends[group]
        place = number - self._first[group]
        begin = ends[place - 1] if place else 0
        return texts[begin : ends[place]].decode("utf-8", "surrogatepass")

    def _group_of(self, number: int) -> int:
        low, high = 0, len(self._first) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._first[middle] <= number:
                low = middle
            else:
                high = middle - 1
        return low

    def _unpacked(self, group: int) -> bytes:
        if group in self._open:
            self._open.move_to_end(group)
        else:
            texts = self._open[group] = zlib.decompress(self._groups[group])
            self._open_bytes += len(texts)
            while self._open_bytes > _OPEN_BYTES and len(self._open) > 1:
                self._open_bytes -= len(self._open.popitem(last=False)[1])
        return self._open[group]

    def _read_group(self) -> bool:
        raw, ends = bytearray(), array("L")
        while (text := self._next_text()) is not None:
            if ends and len(raw) + len(text) > _GROUP_BYTES:
                # Not in one group with a long text, which would have to be unpacked for a short one.
                self._waiting = text
                break
            raw += text
            ends.append(len(raw))
        if not ends:
            return False
        self._bytes += len(raw) + len(ends) * ends.itemsize
        if self._bytes > self._most:
            raise UnpackedTooLarge(
                f"The workbook's texts are larger than {self._most:,} bytes; save the catalogue as CSV and send that."
            )
        self._groups.append(zlib.compress(bytes(raw), 1))
        self._first.append(self._count)
        self._ends.append(ends)
        self._count += len(ends)
        return True

    def _next_text(self) -> bytes | None:
        if self._waiting is not None:
            text, self._waiting = self._waiting, None
            return text
        text_read = next(self._texts, None)
        return None if text_read is None else text_read.encode("utf-8", "surrogatepass")
