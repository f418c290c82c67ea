"""The port to idempotency keys: which client request has created which job.

A request claims its key while it is processed. The job is created in the same atomic step that
completes the key, so no job lacks its key, and no key creates two jobs. A process that dies does
not renew its claim, and the key is free again after the lease.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

# How long a client may repeat its request.
RETENTION_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """The right to create the job of one key."""

    name: str  # see `key_name`
    token: str  # distinguishes this claim from an earlier one whose lease expired


@dataclass(frozen=True, kw_only=True)
class CompletedRequest:
    """The job that a request with this key has created."""

    job_id: str
    fingerprint: str  # of the request body


@dataclass(frozen=True, kw_only=True)
class KeyCompletion:
    """A claimed key, and the fingerprint of its request body."""

    claim: KeyClaim
    fingerprint: str


class IdempotencyStore(ABC):
    """Idempotency keys. `JobRepository.create` completes them."""

    @abstractmethod
    def claim(self, name: str, token: str, *, lease_s: float) -> KeyClaim | CompletedRequest | None:
        """Claim a key. None: another request with this key is in progress."""

    @abstractmethod
    def renew(self, claim: KeyClaim, *, lease_s: float) -> None:
        """Extend the lease. No effect on a lost claim; `create` raises in that case."""

    @abstractmethod
    def release(self, claim: KeyClaim) -> None:
        """Release the key without completing it. No effect on a lost claim."""


def key_name(owner: str | None, key: str) -> str:
    """The stored name of a client's key, of bounded length. Owners have separate keys."""
    return hashlib.sha256(f"{owner or ''}\0{key}".encode()).hexdigest()
