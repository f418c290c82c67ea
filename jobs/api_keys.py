"""API keys: generation, parsing and verification. Only a digest of the key is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_PREFIX = "sl_"
_ID_BYTES = 6
_SECRET_BYTES = 32
_KEY = re.compile(
    rf"({_PREFIX}[0-9a-f]{{{2 * _ID_BYTES}}})_[0-9a-f]{{{2 * _SECRET_BYTES}}}", re.ASCII
)
_OWNER = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class KeyLimits:
    """The limits of one key. None: the server's setting applies."""

    upload_bytes: int | None = None
    open_jobs: int | None = None  # of the key's owner, at a time
    requests_per_minute: int | None = None


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """The stored record of a key. Times are Unix seconds by the store's clock."""

    id: str  # the beginning of the key; public
    owner: str  # an owner may have several keys, so that they can be rotated
    is_admin: bool
    digest: str  # SHA-256 in hex: the key is random and long, so nothing slower is needed
    limits: KeyLimits = KeyLimits()
    created_at: float = 0.0
    revoked_at: float | None = None

    def verify(self, key: str) -> bool:
        """Whether `key` is this key and not revoked. Compares in constant time."""
        return hmac.compare_digest(digest_of(key), self.digest) and self.revoked_at is None


def generate_api_key(owner: str, *, is_admin: bool, limits: KeyLimits) -> tuple[str, ApiKey]:
    """A new key and its record. Show the key once. Raises `ValueError` for an invalid owner."""
    if not _OWNER.fullmatch(owner):
        raise ValueError(
            f"{owner[:64]!r} cannot be an owner's name; use up to 64 lower-case letters, digits "
            "and "
            ". _ @ -, beginning with a letter or a digit."
        )
    key_id = _PREFIX + secrets.token_hex(_ID_BYTES)
    key = f"{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
    return key, ApiKey(
        id=key_id, owner=owner, is_admin=is_admin, digest=digest_of(key), limits=limits
    )


def parse_key_id(key: str) -> str | None:
    """The id of a well-formed key; None for any other text."""
    match = _KEY.fullmatch(key)
    return match[1] if match else None


def digest_of(key: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
