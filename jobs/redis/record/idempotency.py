"""Idempotency keys in Redis, which expire."""

from __future__ import annotations

import redis

from jobs.ports.record.idempotency import CompletedRequest, IdempotencyStore, KeyClaim
from jobs.redis.connection import load_script
from jobs.redis.keys import idempotency_key


class RedisIdempotencyStore(IdempotencyStore):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._claim, self._renew, self._release = (
            load_script(client, f"{name}_idempotency_key") for name in ("claim", "renew", "release")
        )

    def claim(self, name: str, token: str, *, lease_s: float) -> KeyClaim | CompletedRequest | None:
        reply = self._claim(keys=[idempotency_key(name)], args=[token, round(lease_s * 1000)])
        if reply is None:
            return None
        if not reply:
            return KeyClaim(name=name, token=token)
        job_id, fingerprint = reply
        return CompletedRequest(job_id=job_id, fingerprint=fingerprint)

    def renew(self, claim: KeyClaim, *, lease_s: float) -> None:
        self._renew(keys=[idempotency_key(claim.name)], args=[claim.token, round(lease_s * 1000)])

    def release(self, claim: KeyClaim) -> None:
        self._release(keys=[idempotency_key(claim.name)], args=[claim.token])
