"""The port to label requests: a few summaries that a worker labels while the API waits.

A label request is not a job. It is short-lived, and answered at most once. If a process dies, the
client sends its request again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from catalogue.labelled.labels import Label, RowError
from jobs.job import Failure


@dataclass(frozen=True, kw_only=True)
class LabelRequest:
    """The texts to label."""

    summaries: tuple[str, ...]
    titles: tuple[str, ...]  # one for each summary, "" where there is none
    owner: str | None  # of the API key; None without authentication
    evidence: bool = False  # whether to include the evidence


@dataclass(frozen=True, kw_only=True)
class LabelResponse:
    """The response of a worker: one outcome per summary, in order."""

    model_version: int
    outcomes: tuple[Label | RowError, ...]


class LabelRequests(ABC):
    """Requests that wait for a worker, and responses that wait for the API."""

    @abstractmethod
    def submit(self, request: LabelRequest, *, ttl_s: float) -> str:
        """Store a request, which expires after `ttl_s` seconds. Returns its id."""

    @abstractmethod
    def wait(self, request_id: str, *, timeout_s: float) -> LabelResponse | Failure | None:
        """The response, or why there is none. None: timeout; the request is withdrawn."""

    @abstractmethod
    def claim(self, request_id: str) -> LabelRequest | None:
        """Claim a request. None: another worker has claimed it, or it has expired."""

    @abstractmethod
    def respond(self, request_id: str, response: LabelResponse | Failure) -> None:
        """Store the response for the API. It expires after a minute."""
