"""How the whole record stands, in numbers for whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.job import State


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Totals only ever grow; everything else is as of `read_at` (Unix seconds by the store's clock)."""

    open_jobs: Mapping[State, int]  # by state; states without a job are left out
    # For each of those states, how long the job that has stood still for longest has done so: seconds
    # since its last chunk, or since it came into the state.
    seconds_since_progress: Mapping[State, float]
    ended_jobs: Mapping[State, int]  # total
    # Totals of what was committed; a row that is labelled again after a repair counts again.
    rows_labelled: int
    rows_failed: int
    rows_to_review: int
    uploads: int  # under way
    webhooks_pending: int
    cached_predictions: int
    memory_bytes: int
    memory_limit_bytes: int  # 0: none
    read_at: float
