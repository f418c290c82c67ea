"""Uploads that a client may repeat: with the same Idempotency-Key the same upload makes one job, however often it is sent."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import redis

from api.http.problems import Problem, in_use
from api.jobs.scoped_store import ScopedJobStore
from api.uploads.request_stream import Upload
from jobs.job import Job
from jobs.ports.idempotency import CompletedRequest, KeyClaim, KeyCompletion, request_name

# Beyond the time for which a client may be silent, after which its upload is given up.
_MARGIN_S = 30.0
_RENEW_EVERY_S = 5.0


@dataclass(frozen=True)
class HeldKey:
    """The Idempotency-Key of a request that is under way."""

    renew: Callable[
        [], None
    ]  # to be called while the request goes on; costs nothing if called often
    settle: Callable[[], KeyCompletion]  # once the upload has been read


class FingerprintedUpload(Upload):
    """An upload that knows, once it has been read, what it carried."""

    def __init__(self, upload: Upload, on_block: Callable[[], None] = lambda: None) -> None:
        self._upload = upload
        self._digest = hashlib.sha256()
        self._on_block = on_block
        self._follow()

    def _follow(self) -> None:
        self.filename, self.options = self._upload.filename, self._upload.options

    @property
    def column_may_follow(self) -> bool:
        return self._upload.column_may_follow

    def blocks(self) -> Iterator[bytes]:
        for block in self._upload.blocks():
            self._on_block()
            self._digest.update(block)
            self._follow()
            yield block
        self._follow()

    @property
    def fingerprint(self) -> str:
        """Of the file, its name and the options; the form in which they came does not matter."""
        said = {"filename": self.filename, **self.options.model_dump(exclude_none=True)}
        digest = self._digest.copy()
        digest.update(json.dumps(said, sort_keys=True).encode())
        return digest.hexdigest()


def run_idempotently(
    upload: Upload,
    make: Callable[[Upload, HeldKey], Job],
    *,
    store: ScopedJobStore,
    owner: str | None,
    key: str,
    stall_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Job, bool]:
    """The job of this upload, and whether an earlier request with this key has made it.

    Raises what `make` raises, `Problem` for a key that is in use or came with something else, `JobNotFound` when the job
    has been deleted since.
    """
    lease_s = stall_s + _MARGIN_S
    held = store.idempotency.claim(request_name(owner, key), secrets.token_hex(16), lease_s=lease_s)
    if held is None:
        raise in_use()
    if isinstance(held, CompletedRequest):
        return _repeated(FingerprintedUpload(upload), held, store), True
    try:
        renew = _renewing(store, held, lease_s, clock)
        known = FingerprintedUpload(upload, renew)
        settle = partial(_settlement, held, known)
        return make(known, HeldKey(renew, settle)), False
    except BaseException:
        # Nothing where the key was settled, though the reply that said so was lost: then the repetition is given that job.
        with suppress(redis.RedisError):
            store.idempotency.release(held)
        raise


def _settlement(held: KeyClaim, known: FingerprintedUpload) -> KeyCompletion:
    return KeyCompletion(claim=held, fingerprint=known.fingerprint)


def _renewing(
    store: ScopedJobStore, held: KeyClaim, lease_s: float, clock: Callable[[], float]
) -> Callable[[], None]:
    due = clock() + _RENEW_EVERY_S

    def renew() -> None:
        nonlocal due
        if clock() >= due:
            due = clock() + _RENEW_EVERY_S
            # A hold outlives a short absence of the record; if it does not, `create` says so.
            with suppress(redis.RedisError):
                store.idempotency.renew(held, lease_s=lease_s)

    return renew


def _repeated(upload: FingerprintedUpload, settled: CompletedRequest, store: ScopedJobStore) -> Job:
    for _ in upload.blocks():
        pass
    if upload.fingerprint != settled.fingerprint:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "IDEMPOTENCY_KEY_REUSED",
            f"This Idempotency-Key came with another file or other options before, and made the job {settled.job_id}; "
            "send a new key with every new upload.",
        )
    return store.get(settled.job_id)
