"""Webhook deliveries in Redis. Each atomic step is one script in `scripts/`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

import redis

from jobs.metrics import webhook_attempts
from jobs.ports.webhooks import Attempt, DeliveryLog, WebhookStore, new_secret
from jobs.redis.connection import load_script
from jobs.redis.keys import METRICS, WEBHOOK_SECRETS, WEBHOOKS_DUE, JobKeys


class RedisWebhookStore(WebhookStore):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._due, self._claim, self._record, self._rotate_secret = (
            load_script(self._redis, "clock", name)
            for name in ("due_webhooks", "claim_webhook", "record_webhook_attempt", "rotate_secret")
        )

    def due(self, *, limit: int) -> Sequence[str]:
        return cast(list[str], self._due(keys=[WEBHOOKS_DUE], args=[limit]))

    def claim(self, job_id: str, *, lease_s: float) -> int | None:
        return cast(
            int | None,
            self._claim(
                keys=[WEBHOOKS_DUE, JobKeys(job_id).job],
                args=[job_id, round(lease_s * 1000)],
            ),
        )

    def record(self, job_id: str, attempt: Attempt, *, retry_in_s: float | None) -> bool:
        keys = JobKeys(job_id)
        retry_ms = "" if retry_in_s is None else round(retry_in_s * 1000)
        return bool(
            self._record(
                keys=[WEBHOOKS_DUE, keys.job, keys.deliveries, METRICS],
                args=[
                    job_id,
                    attempt.number,
                    retry_ms,
                    json.dumps(asdict(attempt)),
                    webhook_attempts(attempt.outcome),
                ],
            )
        )

    def log(self, job_id: str) -> DeliveryLog:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.lrange(JobKeys(job_id).deliveries, 0, -1)
            pipe.zscore(WEBHOOKS_DUE, job_id)
            texts, due = pipe.execute()
        return DeliveryLog(
            attempts=tuple(Attempt(**json.loads(text)) for text in texts),
            next_at=due / 1000 if due is not None else None,
        )

    def secrets(self, owner: str | None) -> tuple[str, ...]:
        field, first = owner or "", json.dumps([{"secret": new_secret(), "until": 0}])
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hsetnx(WEBHOOK_SECRETS, field, first)
            pipe.hget(WEBHOOK_SECRETS, field)
            pipe.time()
            _, text, (seconds, micros) = pipe.execute()
        newest, *older = json.loads(text)
        now = seconds * 1000 + micros // 1000
        return (newest["secret"], *(entry["secret"] for entry in older if entry["until"] > now))

    def rotate_secret(self, owner: str | None, *, grace_s: float) -> str:
        secret = new_secret()
        self._rotate_secret(
            keys=[WEBHOOK_SECRETS], args=[owner or "", secret, round(grace_s * 1000)]
        )
        return secret
