"""The port to what callers are told of ended jobs: whose turn it is, what came of it, and the secrets that sign.

A job with a callback becomes due in the very step that ends it. Whoever takes it holds it for a bounded time; whoever
dies with it in hand simply does not record an outcome, and it becomes due again. So a caller is told at least once.
"""

from __future__ import annotations

import base64
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_SECRET_BYTES = 32

# refused: an address that must not be called
Outcome = Literal["delivered", "failed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt to tell a caller. Holds nothing that the receiver answered but its status."""

    number: int  # 1-based; a number that is missing was cut short
    at: float  # Unix seconds by the sender's clock
    seconds: float
    status: int | None  # of the receiver's answer; None: there was none
    outcome: Outcome
    detail: str


@dataclass(frozen=True, kw_only=True)
class DeliveryLog:
    """How telling one job's caller stands."""

    attempts: Sequence[Attempt]  # the newest fifty, in their order
    next_at: float | None  # Unix seconds by the store's clock; None: there will be no further one


class WebhookStore(ABC):
    """Calls back that are due, their log, and each owner's signing secrets. Owner None: where no key is asked for."""

    @abstractmethod
    def due(self, *, limit: int) -> Sequence[str]:
        """Ids of jobs whose caller should be told now, the longest due first."""

    @abstractmethod
    def take(self, job_id: str, *, lease_s: float) -> int | None:
        """Hold a due call back for so long. Returns the attempt's number; None when it is not due or held."""

    @abstractmethod
    def record(self, job_id: str, attempt: Attempt, *, again_in_s: float | None) -> bool:
        """Log the attempt; due again after so many seconds, or never.

        False, and nothing is changed, when a later attempt has been taken or the job is gone.
        """

    @abstractmethod
    def log(self, job_id: str) -> DeliveryLog:
        """The attempts so far; empty for a job that is unknown or has no callback."""

    @abstractmethod
    def secrets(self, owner: str | None) -> tuple[str, ...]:
        """The secrets that sign at present, the newest first; the first one is made when it is first asked for."""

    @abstractmethod
    def renew_secret(self, owner: str | None, *, keep_s: float) -> str:
        """A new secret. The one before it signs as well for so long, so that receivers can be changed meanwhile."""


def new_secret() -> str:
    """A random secret in the spelling of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
