"""Standard input and output as files: both are copied to a temporary file.

An upload needs its size and digest beforehand, and a broken download is resumed in the middle. A
pipe offers neither.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from ..client import Client
from ..errors import BadInput
from ..http.actions import OnBytes
from .targets import STREAM


class Streams:
    """Temporary files in place of `STREAM`, deleted after the block. Other paths are unchanged."""

    def __enter__(self) -> Self:
        self._folder: Path | None = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def readable(self, source: Path) -> Path:
        """Return a file with the bytes of the source. Raises OSError."""
        if source != STREAM:
            return source
        path = self._temporary() / "stdin.csv"
        if not path.exists():
            with path.open("xb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
        return path

    def writable(self, target: Path) -> Path:
        """Return the file to write instead of the target. Call `written` afterwards."""
        return target if target != STREAM else self._temporary() / "stdout.csv"

    def written(self, target: Path) -> None:
        """Copy the result to the target.

        Raises OSError; `BrokenPipeError` if its reader has closed it.
        """
        if target == STREAM:
            with self.writable(target).open("rb") as result:
                shutil.copyfileobj(result, sys.stdout.buffer)
            sys.stdout.buffer.flush()

    def _temporary(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="spinelabel-"))
        return self._folder


def download_to(
    client: Client, job_id: str, target: Path, streams: Streams, on_bytes: OnBytes
) -> None:
    """Download a job's result to the target, which may be standard output.

    Raises `BadInput` if it cannot be written, `BrokenPipeError` if the reader of standard output
    has closed it, and what `Client.download` raises.
    """
    try:
        client.download(job_id, streams.writable(target), on_bytes)
        streams.written(target)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}.") from error
