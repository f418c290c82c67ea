"""Chunk outputs: the labelled rows of a chunk before assembly, with checksums in a manifest.

The file name includes the fencing token of the claim that wrote it. A process that has lost its
lease can therefore never overwrite the output of the process that claimed the chunk after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

from jobs.files.storage import Storage, chunk_errors_path, chunk_output_path
from jobs.ports.record.step_leases import Claim

_COPY_BYTES = 1 << 20


class ChunkOutputCorrupt(Exception):
    """A committed chunk output is missing or damaged."""


@dataclass(frozen=True, kw_only=True)
class ChunkOutput:
    """Location and checksums of a committed chunk's output."""

    job_id: str
    index: int
    fence: int
    rows_digest: str
    errors_digest: str  # "": no row of the chunk has an error

    @property
    def manifest(self) -> str:
        """The manifest, as the job record stores it."""
        values = asdict(self)
        del values["job_id"], values["index"]
        return json.dumps(values)

    @classmethod
    def from_manifest(cls, job_id: str, index: int, manifest: str) -> ChunkOutput:
        """The chunk output of a stored manifest."""
        return cls(job_id=job_id, index=index, **json.loads(manifest))

    def rows(self, storage: Storage) -> Iterator[bytes]:
        """The labelled rows in blocks. Raises `ChunkOutputCorrupt`, maybe after the last block."""
        return _checked(
            storage, chunk_output_path(self.job_id, self.index, self.fence), self.rows_digest
        )

    def errors(self, storage: Storage) -> Iterator[bytes]:
        """The error list in blocks. Raises `ChunkOutputCorrupt` like `rows`."""
        if not self.errors_digest:
            return iter(())
        path = chunk_errors_path(self.job_id, self.index, self.fence)
        return _checked(storage, path, self.errors_digest)

    def is_whole(self, storage: Storage) -> bool:
        """Whether all files are present and match their checksums."""
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
    """Write a chunk output durably. Raises `OSError`."""
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
    """Delete the output of a lost claim, if any. No other claim writes under its fencing token."""
    storage.delete(chunk_output_path(claim.job_id, index, claim.fence))
    storage.delete(chunk_errors_path(claim.job_id, index, claim.fence))


def _checked(storage: Storage, path: str, digest: str) -> Iterator[bytes]:
    checksum = hashlib.sha256()
    try:
        stream: BinaryIO = storage.open(path)
    except FileNotFoundError:
        raise ChunkOutputCorrupt(f"{path} is missing") from None
    with stream:
        while block := stream.read(_COPY_BYTES):
            checksum.update(block)
            yield block
    if checksum.hexdigest() != digest:
        raise ChunkOutputCorrupt(f"{path} does not match its checksum")
