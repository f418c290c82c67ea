"""What an `ApiCalls` generator asks its client to do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..errors import BadInput
from .download import DownloadTarget

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all

_BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Send:
    """Send a request and return its response, read to the end."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    json: dict[str, Any] | None = None
    timeout_s: float | None = None  # None: the client's

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of `httpx.Client.request` and `httpx.AsyncClient.request`."""
        timeout = {} if self.timeout_s is None else {"timeout": self.timeout_s}
        request = {"method": self.method, "url": self.path, "params": self.query}
        return request | ({} if self.json is None else {"json": self.json}) | timeout


@dataclass(frozen=True, kw_only=True)
class Upload:
    """POST a file and return the response. Raises OSError if the file cannot be read."""

    path: str
    file: Path
    query: dict[str, str]
    headers: dict[str, str]
    on_bytes: OnBytes


@dataclass(frozen=True, kw_only=True)
class Download:
    """GET a file into `target` and return the response; its body is read if it is an error."""

    path: str
    target: DownloadTarget
    on_bytes: OnBytes
    on_progress: Callable[[], None]

    def write(self, block: bytes) -> None:
        """Add bytes to the target. Raises OSError."""
        self.target.write(block)
        self.on_progress()
        self.on_bytes(self.target.written, self.target.total or self.target.written)


@dataclass(frozen=True, kw_only=True)
class Sleep:
    """Sleep; returns nothing."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class RunBlocking:
    """Call a function that may take long; returns nothing."""

    function: Callable[[], None]


Action = Send | Upload | Download | Sleep | RunBlocking


class FileBody:
    """The body of an upload: exactly `size` bytes, which is what Content-Length promises."""

    def __init__(self, file: IO[bytes], on_bytes: OnBytes) -> None:
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._on_bytes = on_bytes
        self._done = 0

    def blocks(self) -> Iterator[bytes]:
        """The body in blocks. Raises `BadInput` if the file has become shorter."""
        while self._done < self.size:
            block = self._read()
            yield block
            self._on_bytes(self._done, self.size)

    async def async_blocks(self) -> AsyncIterator[bytes]:
        """The same, read without blocking the event loop."""
        while self._done < self.size:
            block = await asyncio.to_thread(self._read)
            yield block
            self._on_bytes(self._done, self.size)

    def _read(self) -> bytes:
        block = self._file.read(min(_BLOCK_BYTES, self.size - self._done))
        if not block:
            raise BadInput(f"{self._file.name} became shorter while it was being read.")
        self._done += len(block)
        return block
