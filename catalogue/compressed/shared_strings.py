"""The shared strings of a workbook, read on demand and kept compressed in memory."""

import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator

from catalogue.errors import UnpackedTooLarge

_GROUP_BYTES = 64 * 1024
_OPEN_BYTES = 8 * 1024 * 1024


class SharedStrings:
    """Strings by index. An index out of range raises `IndexError`."""

    def __init__(self, texts: Iterator[str], *, max_bytes: int) -> None:
        """`texts`: all strings in order. `max_bytes`: their maximum total size in UTF-8."""
        self._texts = texts
        self._max_bytes = max_bytes
        self._bytes = 0
        self._groups: list[bytes] = []  # each compressed, of whole strings
        self._first = array("L")  # index of the first string of each group
        self._ends: list[array[int]] = []  # end offsets of the strings of each group
        self._count = 0
        self._open: OrderedDict[int, bytes] = OrderedDict()
        self._open_bytes = 0
        self._waiting: bytes | None = None  # read, but in no group yet

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
                # A long string gets its own group, so that short ones are cheap to decompress.
                self._waiting = text
                break
            raw += text
            ends.append(len(raw))
        if not ends:
            return False
        self._bytes += len(raw) + len(ends) * ends.itemsize
        if self._bytes > self._max_bytes:
            raise UnpackedTooLarge(
                f"The workbook's texts are larger than {self._max_bytes:,} bytes; save the "
                "catalogue as CSV and send that."
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
