"""Keys of requests in Redis, beside the job records; Redis itself forgets them when their time is over."""

from __future__ import annotations

import redis

from jobs.ports.idempotency import CompletedRequest, IdempotencyStore, KeyClaim
from jobs.redis.connection import load_script
from jobs.redis.keys import request_key


class RedisIdempotencyStore(IdempotencyStore):
    """Over the connections of the job store."""

    def __init__(self, connections: redis.Redis) -> None:
        self._hold, self._renew, self._release = (
            load_script(connections, f"{name}_request") for name in ("hold", "renew", "release")
        )

    def hold(self, name: str, token: str, *, lease_s: float) -> KeyClaim | CompletedRequest | None:
        reply = self._hold(keys=[request_key(name)], args=[token, round(lease_s * 1000)])
        if reply is None:
            return None
        if not reply:
            return KeyClaim(name=name, token=token)
        job_id, fingerprint = reply
        return CompletedRequest(job_id=job_id, fingerprint=fingerprint)

    def renew(self, hold: KeyClaim, *, lease_s: float) -> None:
        self._renew(keys=[request_key(hold.name)], args=[hold.token, round(lease_s * 1000)])

    def release(self, hold: KeyClaim) -> None:
        self._release(keys=[request_key(hold.name)], args=[hold.token])
