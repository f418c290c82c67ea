"""The port to requests that a client may repeat: which of them has made which job.

A request that carries a key is *held* by one process while it is under way. The job is made in the same step that
settles the key, so that there is never a job without its key, nor a second job of one key. Whoever dies while it
holds a key simply does not renew it: after the lease the key is free again.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

# A client may repeat its request for so long.
KEPT_S = 86_400.0


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """The right to make the job of one key."""

    name: str  # of the key, see `request_name`
    token: str  # distinguishes this holder from an earlier one whose lease ran out


@dataclass(frozen=True, kw_only=True)
class CompletedRequest:
    """What a request with this key has led to."""

    job_id: str
    fingerprint: str  # of what the request carried


@dataclass(frozen=True, kw_only=True)
class KeyCompletion:
    """A held key, and what its request carried."""

    hold: KeyClaim
    fingerprint: str


class IdempotencyStore(ABC):
    """Keys of requests. `JobStore.create` settles them."""

    @abstractmethod
    def hold(self, name: str, token: str, *, lease_s: float) -> KeyClaim | CompletedRequest | None:
        """Hold a key for so long. None: another request with it is under way."""

    @abstractmethod
    def renew(self, hold: KeyClaim, *, lease_s: float) -> None:
        """Hold it longer; nothing when it is not held any more, which `create` will say."""

    @abstractmethod
    def release(self, hold: KeyClaim) -> None:
        """Give the key back unsettled; nothing when it is not held any more."""


def request_name(owner: str | None, key: str) -> str:
    """A name of bounded length for a client's key; each owner's keys are its own."""
    return hashlib.sha256(f"{owner or ''}\0{key}".encode()).hexdigest()
