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


class WorkerRegistry(ABC):
    """The latest report of each worker."""

    @abstractmethod
    def report(self, name: str, model: Mapping[str, object] | None) -> None:
        """Record that a worker is alive, and the model that it reaches."""

    @abstractmethod
    def active(self, *, within_s: float) -> Sequence[WorkerReport]:
        """Workers that reported within the last `within_s` seconds."""
