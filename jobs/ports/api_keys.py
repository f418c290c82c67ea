"""The port to the API keys. A revoked key stays in the record, so that old log lines can be understood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jobs.api_keys import ApiKey


class ApiKeyStore(ABC):
    """Keys by their id. Raises `ApiKeyNotFound` for an unknown one."""

    @abstractmethod
    def add(self, key: ApiKey) -> ApiKey:
        """Keep a new key; as it is kept, with the time."""

    @abstractmethod
    def get(self, key_id: str) -> ApiKey:
        """The key, whether in force or revoked."""

    @abstractmethod
    def all(self) -> Sequence[ApiKey]:
        """Every key, the oldest first."""

    @abstractmethod
    def revoke(self, key_id: str) -> ApiKey:
        """Let the key open nothing from now on. Revoking twice keeps the first time."""
