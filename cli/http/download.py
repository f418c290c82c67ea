"""A file that is being downloaded: a temporary file that one or more responses fill."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)$")


class DownloadTarget:
    """A temporary file next to `target`, which replaces it at the end or not at all.

    Raises OSError.
    """

    def __init__(self, target: Path) -> None:
        self.written = 0
        self.total: int | None = None  # None until a response contains it
        self._target = target
        self._etag: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every byte was received."""
        return self.total is not None and self.written == self.total

    def __enter__(self) -> Self:
        name = f".{self._target.name}.{secrets.token_hex(6)}.part"
        self._path = self._target.with_name(name)
        # The mode a new file gets here; `tempfile` would make the result readable by its owner
        # only.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._path, flags, 0o666), "wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with suppress(FileNotFoundError):  # renamed
            self._path.unlink()

    def request_headers(self) -> dict[str, str]:
        """The headers of the next request: for the rest of the file if it has a strong ETag."""
        headers = {"Accept-Encoding": "identity"}  # byte ranges count the bytes of the file
        if self.written and self._etag:
            headers |= {"Range": f"bytes={self.written}-", "If-Range": self._etag}
        return headers

    def accepts(self, response: httpx.Response) -> bool:
        """Whether `begin` can handle the response: a body, or "the file is shorter than that"."""
        return not response.is_error or _is_out_of_range(response)

    def begin(self, response: httpx.Response) -> None:
        """Start reading a response: append it if it continues the file, else start over."""
        matched = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if response.status_code == httpx.codes.PARTIAL_CONTENT and matched:
            if int(matched[1]) == self.written:
                self.total = int(matched[2])
                return
            self._start_over()
            raise httpx.RemoteProtocolError("the server sent another range than the requested one")
        self._start_over()
        if _is_out_of_range(response):
            raise httpx.RemoteProtocolError("the file has changed")
        etag = response.headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else None  # a weak ETag does not identify bytes
        length = response.headers.get("Content-Length")
        self.total = int(length) if length is not None else None

    def write(self, block: bytes) -> None:
        """Append bytes of the response."""
        self._file.write(block)
        self.written += len(block)

    def end_of_response(self) -> None:
        """Check the length. Raises httpx.TransportError if bytes are missing."""
        if self.total is None:
            self.total = self.written
        if not self.complete:
            raise httpx.RemoteProtocolError(f"{self.written} of {self.total} bytes were received")

    def publish(self) -> None:
        """Replace the target."""
        self._file.flush()
        os.fsync(self._file.fileno())
        with suppress(FileNotFoundError):  # otherwise keep the mode of the replaced file
            self._path.chmod(self._target.stat().st_mode & 0o777)
        self._path.replace(self._target)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.written, self.total, self._etag = 0, None, None


def _is_out_of_range(response: httpx.Response) -> bool:
    return response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
