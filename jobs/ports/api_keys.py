"""The port to API keys.

Revoked keys are kept, so that their ids in old log lines can be resolved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jobs.api_keys import ApiKey


class ApiKeyStore(ABC):
    """API keys by id. Raises `ApiKeyNotFound` for an unknown id."""

    @abstractmethod
    def add(self, key: ApiKey) -> ApiKey:
        """Store a new key. Returns it with its time of creation."""

    @abstractmethod
    def get(self, key_id: str) -> ApiKey:
        """The key, valid or revoked."""

    @abstractmethod
    def all(self) -> Sequence[ApiKey]:
        """All keys, oldest first."""

    @abstractmethod
    def revoke(self, key_id: str) -> ApiKey:
        """Revoke the key. Revoking it again keeps the first time."""
