"""Calls back in Redis, beside the job records; each atomic step is one script in `redis_scripts`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any, cast

import redis

from jobs.callbacks import Attempt, CallbackStore, DeliveryLog, new_secret
from jobs.redis_keys import CALLBACK_SECRETS, CALLBACKS_DUE, JobKeys


class RedisCallbackStore(CallbackStore):
    """Connects on first use; raises `redis.RedisError` when Redis cannot be reached."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, decode_responses=True, socket_timeout=10, health_check_interval=30
        )
        folder = resources.files("jobs") / "redis_scripts"
        self._take, self._record, self._renew_secret = (
            self._redis.register_script((folder / f"{name}.lua").read_text("utf-8"))
            for name in ("take_callback", "record_callback", "renew_secret")
        )

    def due(self, *, limit: int) -> Sequence[str]:
        found = self._redis.zrangebyscore(CALLBACKS_DUE, "-inf", self._now_ms(), start=0, num=limit)
        return cast(list[str], found)

    def take(self, job_id: str, *, lease_s: float) -> int | None:
        return cast(
            int | None,
            self._take(
                keys=[CALLBACKS_DUE, JobKeys(job_id).job],
                args=[job_id, self._now_ms(), round(lease_s * 1000)],
            ),
        )

    def record(self, job_id: str, attempt: Attempt, *, again_in_s: float | None) -> bool:
        keys, now = JobKeys(job_id), self._now_ms()
        again = "" if again_in_s is None else now + round(again_in_s * 1000)
        return bool(
            self._record(
                keys=[CALLBACKS_DUE, keys.job, keys.deliveries],
                args=[job_id, attempt.number, again, json.dumps(asdict(attempt))],
            )
        )

    def log(self, job_id: str) -> DeliveryLog:
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lrange(JobKeys(job_id).deliveries, 0, -1)
            pipe.zscore(CALLBACKS_DUE, job_id)
            texts, due = pipe.execute()
        return DeliveryLog(
            attempts=tuple(Attempt(**json.loads(text)) for text in texts),
            next_at=due / 1000 if due is not None else None,
        )

    def secrets(self, owner: str | None) -> tuple[str, ...]:
        now, field = self._now_ms(), owner or ""
        first = json.dumps([{"secret": new_secret(), "until": 0}])
        self._redis.hsetnx(CALLBACK_SECRETS, field, first)
        newest, *older = json.loads(cast(str, self._redis.hget(CALLBACK_SECRETS, field)))
        return (newest["secret"], *(kept["secret"] for kept in older if kept["until"] > now))

    def renew_secret(self, owner: str | None, *, keep_s: float) -> str:
        fresh, until = new_secret(), self._now_ms() + round(keep_s * 1000)
        self._renew_secret(keys=[CALLBACK_SECRETS], args=[owner or "", fresh, until])
        return fresh

    def _now_ms(self) -> int:
        seconds, micros = cast(Any, self._redis.time())
        return int(seconds * 1000 + micros // 1000)
