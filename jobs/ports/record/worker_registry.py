"""The port to the reports of workers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """The latest report of a worker about itself and its model server."""

    name: str
    reported_at: float  # Unix seconds by the store's clock
    model: Mapping[str, object] | None  # None: the model server does not answer
    # Since it waited for messages or worked, by the store's clock; None: not reported yet.
    seconds_since_progress: float | None = None


class WorkerRegistry(ABC):
    """The latest report of each worker."""

    @abstractmethod
    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        """Record that a worker's pool is alive, and the model that it reaches."""

    @abstractmethod
    def report_progress(self, name: str, *, age_s: float) -> None:
        """Record that a worker last made progress `age_s` seconds ago."""

    @abstractmethod
    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        """Workers that reported within the last `within_s` seconds."""
