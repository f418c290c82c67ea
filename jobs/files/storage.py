"""The files of jobs under one fsspec URL: a folder, or `s3://…` for several machines.

Paths: `jobs/{id}/input`, `jobs/{id}/parts/NNNNN.FENCE`, `jobs/{id}/result.csv`,
`jobs/{id}/errors.csv`. A file appears under its name only when it is complete and durable.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import fsspec

JOBS = "jobs"  # the folder of all jobs' folders
_DELETE_ATTEMPTS = 20


def input_path(job_id: str) -> str:
    """The catalogue as text, byte for byte as it was uploaded or unpacked."""
    return f"jobs/{job_id}/input"


def upload_path(job_id: str) -> str:
    """The uploaded file, if it must be converted first: a workbook."""
    return f"jobs/{job_id}/upload"


def chunk_output_path(job_id: str, index: int, fence: int) -> str:
    """Labelled rows of chunk `index`, written under this fencing token."""
    return f"jobs/{job_id}/parts/{index:05d}.{fence}"


def chunk_errors_path(job_id: str, index: int, fence: int) -> str:
    """Row errors of chunk `index`."""
    return f"{chunk_output_path(job_id, index, fence)}.errors"


def result_path(job_id: str) -> str:
    """The labelled catalogue."""
    return f"jobs/{job_id}/result.csv"


def errors_path(job_id: str) -> str:
    """The list of row errors."""
    return f"jobs/{job_id}/errors.csv"


def chunk_outputs_folder(job_id: str) -> str:
    """The folder of the chunk outputs, deleted when the result is published."""
    return f"jobs/{job_id}/parts"


def job_folder(job_id: str) -> str:
    """The folder of a job."""
    return f"jobs/{job_id}"


class Storage:
    """Files under one fsspec URL. Errors are the file system's own (`OSError`)."""

    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._is_local = "file" in (
            (self._fs.protocol,) if isinstance(self._fs.protocol, str) else self._fs.protocol
        )

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    @contextmanager
    def publish(
        self, path: str, *, confirm: Callable[[], None] = lambda: None
    ) -> Iterator[BinaryIO]:
        """A stream whose bytes appear under `path` when the block ends, or not at all if it raises.

        Args:
            confirm: called last, when all bytes are durable; nothing appears if it raises.
        """
        if self._is_local:
            yield from self._publish_local(Path(self._full(path)), confirm)
            return
        # A staged object and a server-side move: on every object store, the final name appears
        # complete. Two-phase writes would save the copy, but some file systems lack them.
        target = self._full(path)
        staged = f"{target}.{uuid.uuid4().hex}"
        try:
            with self._fs.open(staged, "wb") as stream:
                yield cast(BinaryIO, stream)
            confirm()
            self._fs.mv(staged, target)
        except BaseException:
            if self._fs.exists(staged):
                self._fs.rm(staged)
            raise

    def _publish_local(self, target: Path, confirm: Callable[[], None]) -> Iterator[BinaryIO]:
        # Not fsspec's two-phase write: it stages in the system's temporary folder, and a move
        # across file systems is a copy, which is visible before it is complete.
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            with staged.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            confirm()
            staged.replace(target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # makes the rename durable
        finally:
            os.close(folder)

    def open(self, path: str) -> BinaryIO:
        """The file for reading. Raises `FileNotFoundError`."""
        return cast(BinaryIO, self._fs.open(self._full(path), "rb"))

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """Bytes [start, end) of the file. Raises `FileNotFoundError`."""
        with self.open(path) as stream:
            stream.seek(start)
            return stream.read(end - start)

    def exists(self, path: str) -> bool:
        """Whether the file exists."""
        return bool(self._fs.exists(self._full(path)))

    def size(self, path: str) -> int:
        """The file's size in bytes. Raises `FileNotFoundError`."""
        return int(self._fs.size(self._full(path)))

    def delete(self, path: str) -> None:
        """Delete a file or a folder. No error if it does not exist or is deleted concurrently."""
        for attempt in range(_DELETE_ATTEMPTS):
            if not self.exists(path):
                return
            try:
                self._fs.rm(self._full(path), recursive=True)
            except FileNotFoundError:
                # Another process deletes the same files: try again with the rest.
                if attempt == _DELETE_ATTEMPTS - 1:
                    raise
                self._fs.invalidate_cache()
            else:
                return

    def names(self, path: str) -> Sequence[str]:
        """Names of the files below a folder, relative to it, sorted."""
        folder = self._full(path)
        paths = (str(path) for path in self._fs.find(folder))
        return sorted(path[len(folder) :].lstrip("/") for path in paths)

    def folders(self, path: str) -> Sequence[str]:
        """Names of the folders directly below a folder, sorted; none if it does not exist."""
        try:
            entries = self._fs.ls(self._full(path), detail=True)
        except FileNotFoundError:
            return []
        return sorted(
            str(entry["name"]).rstrip("/").rpartition("/")[2]
            for entry in entries
            if entry["type"] == "directory"
        )

    def changed_at(self, path: str) -> float | None:
        """Latest change in a folder, in Unix seconds of the storage; None if it is empty."""
        paths = [str(name) for name in self._fs.find(self._full(path))]
        if self._is_local and self.exists(path):
            paths.append(self._full(path))
        return max((self._fs.modified(name).timestamp() for name in paths), default=None)

    def now(self) -> float:
        """The storage's time in Unix seconds, read from a file that is written for it."""
        path = f"checks/{uuid.uuid4().hex}"
        with self.publish(path) as stream:
            stream.write(b"spinelabel")
        try:
            return float(self._fs.modified(self._full(path)).timestamp())
        finally:
            self.delete(path)

    def free_bytes(self) -> int | None:
        """Free bytes; None if unknown (object stores)."""
        if not self._is_local:
            return None
        root = Path(self._root)
        # The folder may not exist yet.
        existing = next(folder for folder in (root, *root.parents) if folder.exists())
        return shutil.disk_usage(existing).free

    def check(self) -> None:
        """Write, read and delete a small file. Raises `OSError` if the storage does not work."""
        path = f"checks/{uuid.uuid4().hex}"
        with self.publish(path) as stream:
            stream.write(b"spinelabel")
        self.delete(path)
