"""Who sends the present request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The owner of a key; where no key is asked for, whoever sits at this machine."""

    owner: str | None  # whose jobs these are; None: nobody's in particular
    key_id: str | None
    is_admin: bool  # sees every job
    upload_bytes: int
    open_jobs: int | None  # None: as many as the machine can take
    requests_per_minute: int | None

    def can_access(self, owner: str | None) -> bool:
        """Whether a job of this owner is there for the caller."""
        return self.is_admin or (self.owner is not None and self.owner == owner)


def caller() -> Caller:
    """Who sends the request that is being served."""
    found: Caller = g.caller
    return found


def remember(who: Caller) -> None:
    """From now on, `caller` answers this for the present request."""
    g.caller = who


def caller_or_none() -> Caller | None:
    """The same as `caller`, or None before anybody was recognised."""
    found: Caller | None = g.get("caller")
    return found
