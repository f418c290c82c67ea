"""Statistics from Redis, in two round trips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import redis

from jobs.job import TERMINAL, State
from jobs.ports.record.stats import Stats, StatsReader
from jobs.redis.keys import (
    ACTIVE,
    CACHE_OLD,
    CACHE_YOUNG,
    TOTALS,
    UPLOADS,
    WEBHOOKS_DUE,
    JobKeys,
)

_OPEN = tuple(state for state in State if state not in TERMINAL)
_FIELDS = ("state", "last_progress", *(f"at:{state}" for state in _OPEN))


class RedisStatsReader(StatsReader):
    """Reads the records of open jobs only; ended ones are counted in the totals."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def read(self) -> Stats:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(TOTALS)
            pipe.smembers(ACTIVE)
            pipe.zcard(UPLOADS)
            pipe.zcard(WEBHOOKS_DUE)
            pipe.hlen(CACHE_YOUNG)
            pipe.hlen(CACHE_OLD)
            pipe.info("memory")
            pipe.time()
            totals, active, uploads, due, young, old, memory, (seconds, micros) = pipe.execute()
            for job_id in active:
                pipe.hmget(JobKeys(job_id).job, _FIELDS)
            records = [dict(zip(_FIELDS, values, strict=True)) for values in pipe.execute()]
        now = seconds + micros / 1e6
        # A job may have ended, or been deleted, since the list was read.
        jobs = [(State(r["state"]), r) for r in records if r["state"] in _OPEN]
        idle_s: dict[State, float] = {}
        for state, record in jobs:
            idle_s[state] = max(idle_s.get(state, 0.0), now - _last_progress(state, record))
        return Stats(
            open_jobs=Counter(state for state, _ in jobs),
            seconds_since_progress=idle_s,
            ended_jobs={
                state: int(totals[f"ended:{state}"])
                for state in TERMINAL
                if f"ended:{state}" in totals
            },
            rows_labelled=int(totals.get("labelled", 0)),
            rows_failed=int(totals.get("failed", 0)),
            rows_to_review=int(totals.get("to_review", 0)),
            uploads=uploads,
            webhooks_pending=due,
            cached_predictions=young + old,
            memory_bytes=int(memory["used_memory"]),
            memory_limit_bytes=int(memory.get("maxmemory", 0)),
            read_at=now,
        )


def _last_progress(state: State, record: Mapping[str, Any]) -> float:
    times = [int(record[name]) for name in ("last_progress", f"at:{state}") if record[name]]
    return max(times) / 1000
