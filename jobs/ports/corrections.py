"""The port to what people say about rows of ended jobs: a genre beside the model's.

Rows are numbered as in the result: 1 for the first below the header, blank lines not counted. What is
kept of a job goes with its files, or with the job.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CorrectionsSummary:
    """How much has been said of a job so far."""

    count: int = 0  # rows that have a correction
    revision: int = 0  # grows with every change, so it identifies what all of them say together


class CorrectionStore(ABC):
    """Corrections by job and row."""

    @abstractmethod
    def put(self, job_id: str, row: int, genre: str) -> None:
        """Keep the genre in the place of whatever was said of the row before.

        Raises `JobNotFound` also when the job's files are deleted.
        """

    @abstractmethod
    def remove(self, job_id: str, row: int) -> None:
        """Take back what was said of the row, if anything was."""

    @abstractmethod
    def of(self, job_id: str, rows: Sequence[int]) -> Mapping[int, str]:
        """The genres of those among `rows` that have a correction."""

    @abstractmethod
    def stand(self, job_id: str) -> CorrectionsSummary:
        """Count and revision; zeros for a job that is unknown or has no corrections."""
