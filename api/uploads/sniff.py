"""A file on its way in: how it is packed, and how much of it has arrived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain

import redis

from api.jobs.scoped_store import ScopedJobStore
from catalogue.compressed.compression import detect_compression

_RECOGNISED_BY = 4  # bytes
_ANNOUNCE_EVERY_S = 10.0


class SniffedStream(Iterator[bytes]):
    """The blocks of a file, counted. `packing` is known at once, `count` has the bytes that were taken so far."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.count = 0
        first = b""
        while len(first) < _RECOGNISED_BY and (block := next(blocks, None)) is not None:
            first += block
        self.packing = detect_compression(first)
        self._blocks = chain([first] if first else [], blocks)

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self.count += len(block)
        return block


def touch_while_reading(
    blocks: Iterator[bytes],
    *,
    store: ScopedJobStore,
    job_id: str,
    renew: Callable[[], None] | None = None,
) -> Iterator[bytes]:
    """The same blocks; while they come, the upload does not count as lost. Raises `UploadLost`.

    `renew` is called with every block: blocks may be unpacked for longer than a request's key is held.
    """
    due = time.monotonic() + _ANNOUNCE_EVERY_S
    for block in blocks:
        if renew is not None:
            renew()
        if time.monotonic() >= due:
            due = time.monotonic() + _ANNOUNCE_EVERY_S
            # An upload outlives a short absence of the record.
            with suppress(redis.RedisError):
                store.announce_upload(job_id)
        yield block
