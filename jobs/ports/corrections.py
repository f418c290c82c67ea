"""The port to corrections: genres that people chose for rows of ended jobs.

Rows are numbered as in the result: 1 is the first below the header, blank lines are not counted.
The corrections of a job are deleted with its files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CorrectionsSummary:
    """Number and revision of a job's corrections."""

    count: int = 0  # rows that have a correction
    revision: int = 0  # grows with every change; identifies the state of all corrections


class CorrectionStore(ABC):
    """Corrections by job and row."""

    @abstractmethod
    def put(self, job_id: str, row: int, genre: str) -> None:
        """Store the genre of a row, replacing an earlier one.

        Raises `JobNotFound`, also if the job's files are deleted.
        """

    @abstractmethod
    def remove(self, job_id: str, row: int) -> None:
        """Delete the correction of a row, if it has one."""

    @abstractmethod
    def get_many(self, job_id: str, rows: Sequence[int]) -> Mapping[int, str]:
        """The genres of those among `rows` that have a correction."""

    @abstractmethod
    def summary(self, job_id: str) -> CorrectionsSummary:
        """Count and revision; zeros for a job that is unknown or has no corrections."""
