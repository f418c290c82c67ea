"""Corrections in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.errors import JobNotFound
from jobs.ports.corrections import CorrectionsSummary, CorrectionStore


@dataclass
class _Corrections:
    genres: dict[int, str] = field(default_factory=dict)
    revision: int = 0


class MemoryCorrectionStore(CorrectionStore):
    """Share one object with `MemoryState`, which creates and deletes the entries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_job: dict[str, _Corrections] = {}

    def begin(self, job_id: str) -> None:
        """Called when a job is created."""
        with self._lock:
            self._by_job[job_id] = _Corrections()

    def forget(self, job_id: str) -> None:
        """Called when a job or its files are deleted."""
        with self._lock:
            self._by_job.pop(job_id, None)

    def put(self, job_id: str, row: int, genre: str) -> None:
        with self._lock:
            if job_id not in self._by_job:
                raise JobNotFound(job_id)
            corrections = self._by_job[job_id]
            corrections.genres[row] = genre
            corrections.revision += 1

    def remove(self, job_id: str, row: int) -> None:
        with self._lock:
            corrections = self._by_job.get(job_id, _Corrections())
            if corrections.genres.pop(row, None) is not None:
                corrections.revision += 1

    def get_many(self, job_id: str, rows: Sequence[int]) -> Mapping[int, str]:
        with self._lock:
            genres = self._by_job.get(job_id, _Corrections()).genres
            return {row: genres[row] for row in rows if row in genres}

    def summary(self, job_id: str) -> CorrectionsSummary:
        with self._lock:
            corrections = self._by_job.get(job_id, _Corrections())
            return CorrectionsSummary(count=len(corrections.genres), revision=corrections.revision)
