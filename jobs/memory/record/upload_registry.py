"""Uploads in progress, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.memory.record.state import MemoryState
from jobs.ports.record.upload_registry import (
    UPLOAD_LOST_AFTER_S,
    UPLOAD_REFUSED_FOR_S,
    UploadRegistry,
)


class MemoryUploadRegistry(UploadRegistry):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def touch(self, job_id: str) -> None:
        with self._state.lock:
            self._state.check_upload(job_id)
            self._state.uploads[job_id] = 0.0

    def forget(self, job_id: str) -> None:
        with self._state.lock:
            self._state.uploads.pop(job_id, None)

    def expire(self, *, elapsed_s: float) -> Sequence[str]:
        latest = UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S
        with self._state.lock:
            silences = {i: silent + elapsed_s for i, silent in self._state.uploads.items()}
            self._state.uploads = {i: silent for i, silent in silences.items() if silent < latest}
            return [i for i, silent in self._state.uploads.items() if silent >= UPLOAD_LOST_AFTER_S]
