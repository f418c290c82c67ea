"""The port to the prediction cache: key → value, both opaque bytes.

A reader states a time and gets only entries that were put before it. A job reads as of its own
start, so the hits do not depend on its speed, on other jobs, or on repeated steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

KEY_BYTES = 16


class PredictionCache(ABC):
    """Keys are `KEY_BYTES` long. Does not raise: an unreachable or full cache has no entries."""

    @abstractmethod
    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:
        """The entries of these keys that were put before the second of `before` (Unix seconds)."""

    @abstractmethod
    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Add entries. An existing entry keeps its value and its time."""


class NullPredictionCache(PredictionCache):
    """A disabled cache."""

    def get(self, keys: Sequence[bytes], *, before: float) -> dict[bytes, bytes]:  # noqa: ARG002
        return {}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Does nothing."""
