"""The port to webhooks: due deliveries, their log, and the signing secrets.

The delivery of a job becomes due in the atomic step that ends the job. A worker claims it for a
bounded lease. If the worker dies, it records no attempt, and the delivery becomes due again. So a
webhook is delivered at least once.
"""

from __future__ import annotations

import base64
import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_SECRET_BYTES = 32

# refused: the URL rules forbid the address
Outcome = Literal["delivered", "failed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One delivery attempt. Of the response, only the status is kept."""

    number: int  # 1-based; a missing number is an attempt that was interrupted
    at: float  # Unix seconds by the sender's clock
    seconds: float
    status: int | None  # of the HTTP response; None: there was none
    outcome: Outcome
    detail: str


@dataclass(frozen=True, kw_only=True)
class DeliveryLog:
    """The delivery of one job's webhook."""

    attempts: Sequence[Attempt]  # the newest fifty, oldest first
    next_at: float | None  # Unix seconds by the store's clock; None: no further attempt


class WebhookStore(ABC):
    """Due deliveries, their log, and each owner's secrets. Owner None: without authentication."""

    @abstractmethod
    def due(self, *, limit: int) -> Sequence[str]:
        """Ids of jobs whose webhook is due now, the longest due first."""

    @abstractmethod
    def claim(self, job_id: str, *, lease_s: float) -> int | None:
        """Claim a due delivery. Returns the attempt's number; None if it is not due or claimed."""

    @abstractmethod
    def record(self, job_id: str, attempt: Attempt, *, retry_in_s: float | None) -> bool:
        """Log the attempt; due again after `retry_in_s` seconds, or never if None.

        Returns False and changes nothing if a later attempt was claimed or the job is deleted.
        """

    @abstractmethod
    def log(self, job_id: str) -> DeliveryLog:
        """The attempts so far; empty for a job that is unknown or has no webhook."""

    @abstractmethod
    def secrets(self, owner: str | None) -> tuple[str, ...]:
        """The valid signing secrets, newest first. The first is created on first use."""

    @abstractmethod
    def rotate_secret(self, owner: str | None, *, grace_s: float) -> str:
        """Create a new secret. The previous one stays valid for `grace_s` seconds."""


def new_secret() -> str:
    """A random secret in the format of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
