"""Statistics of a `MemoryState`."""

from __future__ import annotations

from collections import Counter

from jobs.job import TERMINAL, State
from jobs.memory.record.state import MemoryState
from jobs.ports.record.stats import Stats, StatsReader


class MemoryStatsReader(StatsReader):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def read(self) -> Stats:
        with self._state.lock:
            now = self._state.clock()
            records = [r for r in self._state.records.values() if r.state not in TERMINAL]
            idle_s: dict[State, float] = {}
            for r in records:
                last_progress = max(r.times[r.state], r.progress or 0.0)
                idle_s[r.state] = max(idle_s.get(r.state, 0.0), now - last_progress)
            return Stats(
                open_jobs=Counter(r.state for r in records),
                seconds_since_progress=idle_s,
                ended_jobs=dict(self._state.ended_totals),
                rows_labelled=self._state.row_totals["labelled"],
                rows_failed=self._state.row_totals["failed"],
                rows_to_review=self._state.row_totals["to_review"],
                uploads=len(self._state.uploads),
                webhooks_pending=self._state.webhooks.scheduled(),
                cached_predictions=0,
                memory_bytes=0,
                memory_limit_bytes=0,
                read_at=now,
            )
