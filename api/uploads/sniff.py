"""An incoming file: detects its compression, and keeps its upload registered while it arrives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain

import redis

from api.jobs.scoped_store import ScopedJobStore
from catalogue.compressed.compression import detect_compression

_SIGNATURE_BYTES = 4
_TOUCH_EVERY_S = 10.0


class SniffedStream(Iterator[bytes]):
    """The blocks of a file. Reads the first ones to detect the compression.

    Attributes:
        compression: as detected.
        count: number of bytes read from it.
    """

    def __init__(
        self, blocks: Iterator[bytes], on_block: Callable[[bytes], None] | None = None
    ) -> None:
        """
        Args:
            on_block: called with each block as it arrives.
        """
        self.count = 0
        self._on_block = on_block
        first = b""
        while len(first) < _SIGNATURE_BYTES and (block := next(blocks, None)) is not None:
            first += block
        self.compression = detect_compression(first)
        self._blocks = chain([first] if first else [], blocks)

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self.count += len(block)
        if self._on_block is not None:
            self._on_block(block)
        return block


def touch_while_reading(
    blocks: Iterator[bytes],
    *,
    store: ScopedJobStore,
    job_id: str,
    renew: Callable[[], None] | None = None,
) -> Iterator[bytes]:
    """Yield `blocks`, and touch the upload regularly so that it is not considered lost.

    Raises `UploadLost` if it was considered lost.

    Args:
        renew: called with every block; unpacking may take longer than the lease of an
            idempotency key.
    """
    due = time.monotonic() + _TOUCH_EVERY_S
    for block in blocks:
        if renew is not None:
            renew()
        if time.monotonic() >= due:
            due = time.monotonic() + _TOUCH_EVERY_S
            # An upload survives a short outage of Redis.
            with suppress(redis.RedisError):
                store.touch_upload(job_id)
        yield block
