"""Corrections in this process's memory, for unit tests; passes the same contract suite as Redis."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobs.errors import JobNotFound
from jobs.ports.corrections import CorrectionsSummary, CorrectionStore


@dataclass
class _Said:
    genres: dict[int, str] = field(default_factory=dict)
    revision: int = 0


class MemoryCorrectionStore(CorrectionStore):
    """Give the same object to the `MemoryJobStore`, which says what jobs there are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[str, _Said] = {}

    def begin(self, job_id: str) -> None:
        """For the job store, when a job is made."""
        with self._lock:
            self._said[job_id] = _Said()

    def forget(self, job_id: str) -> None:
        """For the job store, when a job or its files are deleted."""
        with self._lock:
            self._said.pop(job_id, None)

    def put(self, job_id: str, row: int, genre: str) -> None:
        with self._lock:
            if job_id not in self._said:
                raise JobNotFound(job_id)
            said = self._said[job_id]
            said.genres[row] = genre
            said.revision += 1

    def remove(self, job_id: str, row: int) -> None:
        with self._lock:
            said = self._said.get(job_id, _Said())
            if said.genres.pop(row, None) is not None:
                said.revision += 1

    def of(self, job_id: str, rows: Sequence[int]) -> Mapping[int, str]:
        with self._lock:
            genres = self._said.get(job_id, _Said()).genres
            return {row: genres[row] for row in rows if row in genres}

    def stand(self, job_id: str) -> CorrectionsSummary:
        with self._lock:
            said = self._said.get(job_id, _Said())
            return CorrectionsSummary(count=len(said.genres), revision=said.revision)
