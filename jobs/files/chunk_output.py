"""A chunk's part: the files under which its rows wait for assembly, and the seal by which damage to them is noticed.

A part belongs to the claim that wrote it: its name carries the claim's fence, so that a process that was fenced off
(stopped for longer than its lease, say) and goes on later can never put its rows in the place of its heir's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

from jobs.files.storage import Storage, chunk_errors_path, chunk_output_path
from jobs.ports.step_leases import Claim

_COPY_BYTES = 1 << 20


class ChunkOutputCorrupt(Exception):
    """A committed part is not there, or is not what was written."""


@dataclass(frozen=True, kw_only=True)
class ChunkOutput:
    """Where a committed chunk's rows are, and what their bytes have to be."""

    job_id: str
    index: int
    fence: int
    rows_digest: str
    errors_digest: str  # "": no row of the chunk is in error

    @property
    def seal(self) -> str:
        """What the job record keeps of it."""
        values = asdict(self)
        del values["job_id"], values["index"]
        return json.dumps(values)

    @classmethod
    def sealed(cls, job_id: str, index: int, seal: str) -> ChunkOutput:
        """The part of which the record keeps `seal`."""
        return cls(job_id=job_id, index=index, **json.loads(seal))

    def rows(self, storage: Storage) -> Iterator[bytes]:
        """The labelled rows in blocks. Raises `ChunkOutputCorrupt`, at the latest after the last block."""
        return _checked(
            storage, chunk_output_path(self.job_id, self.index, self.fence), self.rows_digest
        )

    def errors(self, storage: Storage) -> Iterator[bytes]:
        """The list of errors in blocks. Raises `ChunkOutputCorrupt` like `rows`."""
        if not self.errors_digest:
            return iter(())
        path = chunk_errors_path(self.job_id, self.index, self.fence)
        return _checked(storage, path, self.errors_digest)

    def is_whole(self, storage: Storage) -> bool:
        """Whether all of it is there as it was written."""
        try:
            for blocks in (self.rows(storage), self.errors(storage)):
                for _ in blocks:
                    pass
        except ChunkOutputCorrupt:
            return False
        return True


def write_chunk_output(
    storage: Storage, claim: Claim, index: int, *, rows: bytes, errors: bytes
) -> ChunkOutput:
    """Write a chunk's outcome durably. Raises `OSError`."""
    with storage.publish(chunk_output_path(claim.job_id, index, claim.fence)) as stream:
        stream.write(rows)
    if errors:
        with storage.publish(chunk_errors_path(claim.job_id, index, claim.fence)) as stream:
            stream.write(errors)
    return ChunkOutput(
        job_id=claim.job_id,
        index=index,
        fence=claim.fence,
        rows_digest=hashlib.sha256(rows).hexdigest(),
        errors_digest=hashlib.sha256(errors).hexdigest() if errors else "",
    )


def delete_chunk_output(storage: Storage, claim: Claim, index: int) -> None:
    """Remove what a claim that was lost has written, if anything. Nobody else writes under its fence."""
    storage.delete(chunk_output_path(claim.job_id, index, claim.fence))
    storage.delete(chunk_errors_path(claim.job_id, index, claim.fence))


def _checked(storage: Storage, path: str, digest: str) -> Iterator[bytes]:
    found = hashlib.sha256()
    try:
        stream: BinaryIO = storage.open(path)
    except FileNotFoundError:
        raise ChunkOutputCorrupt(f"{path} is gone") from None
    with stream:
        while block := stream.read(_COPY_BYTES):
            found.update(block)
            yield block
    if found.hexdigest() != digest:
        raise ChunkOutputCorrupt(f"{path} is not what was written")
