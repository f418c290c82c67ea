"""A file that is being downloaded: grows under another name beside its target, in one or more answers."""

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
    """`target` is written by one rename at the end, or not at all. Raises OSError."""

    def __init__(self, target: Path) -> None:
        self.written = 0
        self.total: int | None = None  # unknown until an answer says it
        self._target = target
        self._etag: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self.total is not None and self.written == self.total

    def __enter__(self) -> Self:
        name = f".{self._target.name}.{secrets.token_hex(6)}.part"
        self._path = self._target.with_name(name)
        # The mode a new file gets here; `tempfile` would make the result readable by its owner only.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._path, flags, 0o666), "wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with suppress(FileNotFoundError):  # renamed
            self._path.unlink()

    def request_headers(self) -> dict[str, str]:
        """What to ask for next: the rest of the same version, if there is a way to name it."""
        headers = {"Accept-Encoding": "identity"}  # byte ranges count the bytes of the file
        if self.written and self._etag:
            headers |= {"Range": f"bytes={self.written}-", "If-Range": self._etag}
        return headers

    def asked_too_much(self, answer: httpx.Response) -> bool:
        """Whether there is nothing from here on: the file has changed."""
        return answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE

    def begin(self, answer: httpx.Response) -> None:
        """Take up an answer: either it goes on where the file ends, or the file begins anew."""
        matched = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
        if answer.status_code == httpx.codes.PARTIAL_CONTENT and matched:
            if int(matched[1]) == self.written:
                self.total = int(matched[2])
                return
            self._start_over()
            raise httpx.RemoteProtocolError("the server sent another part than the one asked for")
        self._start_over()
        if self.asked_too_much(answer):
            raise httpx.RemoteProtocolError("the file has changed")
        etag = answer.headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else None  # weak ones do not name bytes
        length = answer.headers.get("Content-Length")
        self.total = int(length) if length is not None else None

    def write(self, piece: bytes) -> None:
        """Add the next bytes of the answer."""
        self._file.write(piece)
        self.written += len(piece)

    def end_of_answer(self) -> None:
        """The answer ended in good order. Raises httpx.TransportError if bytes are missing all the same."""
        if self.total is None:
            self.total = self.written
        if not self.complete:
            raise httpx.RemoteProtocolError(f"{self.written} of {self.total} bytes came")

    def publish(self) -> None:
        """Give the file its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        with suppress(FileNotFoundError):  # else the mode of the file that is replaced stays
            self._path.chmod(self._target.stat().st_mode & 0o777)
        self._path.replace(self._target)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.written, self.total, self._etag = 0, None, None
