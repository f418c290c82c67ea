"""Idempotency keys of uploads: repeating an upload with its key returns the same job."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import redis

from api.http.problems import Problem, key_in_use
from api.jobs.scoped_store import ScopedJobStore
from api.uploads.request_stream import Upload
from jobs.job import Job
from jobs.ports.record.idempotency import (
    CompletedRequest,
    IdempotencyStore,
    KeyClaim,
    KeyCompletion,
    key_name,
)

# Added to the idle timeout of uploads.
_MARGIN_S = 30.0
_RENEW_EVERY_S = 5.0


class ClaimedKey:
    """An idempotency key during its upload.

    As a context manager it releases the key after an error.
    """

    def __init__(
        self, keys: IdempotencyStore, claim: KeyClaim, lease_s: float, clock: Callable[[], float]
    ) -> None:
        self._keys = keys
        self._claim = claim
        self._lease_s = lease_s
        self._clock = clock
        self._due = clock() + _RENEW_EVERY_S
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            # No effect on a completed key whose reply was lost: repeating the upload returns its
            # job.
            with suppress(redis.RedisError):
                self._keys.release(self._claim)

    def observe(self, block: bytes) -> None:
        """Add a block of the file to the fingerprint, and renew the claim."""
        self._digest.update(block)
        self.renew()

    def renew(self) -> None:
        """Renew the claim if that is due."""
        if self._clock() >= self._due:
            self._due = self._clock() + _RENEW_EVERY_S
            # A claim survives a short outage of Redis; if it does not, `create` raises.
            with suppress(redis.RedisError):
                self._keys.renew(self._claim, lease_s=self._lease_s)

    def completion(self, upload: Upload) -> KeyCompletion:
        """What `create` stores with the job. Call it once the upload has been read."""
        return KeyCompletion(claim=self._claim, fingerprint=_fingerprint(self._digest, upload))


def claim_key(
    store: ScopedJobStore,
    *,
    owner: str | None,
    key: str,
    idle_timeout_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> ClaimedKey | CompletedRequest:
    """Claim an idempotency key, or return the request that has completed it.

    Raises `Problem` if another request holds the key.
    """
    lease_s = idle_timeout_s + _MARGIN_S
    claim = store.idempotency.claim(key_name(owner, key), secrets.token_hex(16), lease_s=lease_s)
    if claim is None:
        raise key_in_use()
    if isinstance(claim, CompletedRequest):
        return claim
    return ClaimedKey(store.idempotency, claim, lease_s, clock)


def replay(upload: Upload, completed: CompletedRequest, store: ScopedJobStore) -> Job:
    """Return the job of a repeated upload, after reading its body.

    Raises `Problem` if the upload differs, `JobNotFound` if the job was deleted.
    """
    digest = hashlib.sha256()
    for block in upload.blocks():
        digest.update(block)
    if _fingerprint(digest, upload) != completed.fingerprint:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "IDEMPOTENCY_KEY_REUSED",
            "This Idempotency-Key was used before with another file or other options, for the job "
            f"{completed.job_id}; send a new key with every new upload.",
        )
    return store.get(completed.job_id)


def _fingerprint(digest: Any, upload: Upload) -> str:
    """Fingerprint of file, name and options, independent of their encoding in the request."""
    fields = {"filename": upload.filename, **upload.options.model_dump(exclude_none=True)}
    whole = digest.copy()
    whole.update(json.dumps(fields, sort_keys=True).encode())
    return str(whole.hexdigest())
