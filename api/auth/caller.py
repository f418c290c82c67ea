"""The caller of the current request, and their permissions and limits."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated caller; without API keys, any user of this machine."""

    owner: str | None  # owner of the jobs; None on servers without API keys
    key_id: str | None
    is_admin: bool  # may access the jobs of all owners
    upload_bytes: int
    open_jobs: int | None  # None: unlimited
    requests_per_minute: int | None

    def can_access(self, owner: str | None) -> bool:
        """Whether the caller may access jobs of this owner."""
        return self.is_admin or (self.owner is not None and self.owner == owner)


def caller() -> Caller:
    """Return the caller of the current request."""
    current: Caller = g.caller
    return current


def set_caller(caller: Caller) -> None:
    """Set the caller of the current request."""
    g.caller = caller


def caller_or_none() -> Caller | None:
    """Like `caller`, or None if the request is not authenticated."""
    current: Caller | None = g.get("caller")
    return current
