"""Callers as the API knows them after authentication."""

from __future__ import annotations

from api.auth.caller import Caller


def make_caller(owner: str, *, is_admin: bool = False) -> Caller:
    return Caller(
        owner=owner,
        key_id=owner,
        is_admin=is_admin,
        upload_bytes=1,
        open_jobs=None,
        requests_per_minute=None,
    )
