"""The port to statistics of all jobs, for metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.job import State


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Totals only grow; other figures are as of `read_at` (Unix seconds of the store's clock)."""

    open_jobs: Mapping[State, int]  # by state; states without a job are omitted
    # For each of those states, the longest time in seconds without progress: since a job's last
    # chunk, or since it entered the state.
    seconds_since_progress: Mapping[State, float]
    ended_jobs: Mapping[State, int]  # total
    # Totals of committed rows; a row that is labelled again after a repair counts again.
    rows_labelled: int
    rows_failed: int
    rows_to_review: int
    uploads: int  # in progress
    webhooks_pending: int
    cached_predictions: int
    memory_bytes: int
    memory_limit_bytes: int  # 0: none
    read_at: float


class StatsReader(ABC):
    """Reads the statistics."""

    @abstractmethod
    def read(self) -> Stats:
        """The statistics now. The cost grows with the open jobs, not with those that have ended."""
