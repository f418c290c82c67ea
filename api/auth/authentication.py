"""Recognises the caller of every request by their key, before anything else looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, request

from api.auth.caller import Caller, remember
from api.http.problems import Problem
from api.settings import ApiSettings
from jobs.api_keys import ApiKey, parse_key_id
from jobs.errors import ApiKeyNotFound
from jobs.ports.api_keys import ApiKeyStore

COOKIE = "spinelabel_key"

# What needs no key: the page and its files, the description, the probes, and handing a key in.
# Whatever is not named here needs one.
OPEN_ENDPOINTS = frozenset(
    {
        "page",
        "static",
        "docs.docs",
        "docs.description",
        "docs.static",
        "health.healthz",
        "health.readyz",
        "session.show_session",
        "session.begin_session",
        "session.end_session",
    }
)


@dataclass(frozen=True)
class Authenticator:
    """Finds out whose key it is, by the keys in the record and the limits in the settings."""

    settings: ApiSettings
    keys: ApiKeyStore

    def authenticate(self, key: str | None) -> Caller:
        """Who shows this key. Raises `Problem` when a key is needed and this is none."""
        if not self.settings.keys_required:
            return Caller(
                owner=None,
                key_id=None,
                is_admin=True,
                upload_bytes=self.settings.max_upload_bytes,
                open_jobs=None,
                requests_per_minute=None,
            )
        if not key:
            raise _refused(
                "UNAUTHENTICATED",
                "This server asks for a key: send it as 'Authorization: Bearer KEY'; the operator makes keys.",
            )
        found = self._find(key)
        if found is None or not found.verify(key):
            raise _refused(
                "INVALID_API_KEY",
                "This key is not known, or was revoked; check it, or ask the operator for another one.",
            )
        limits = found.limits
        return Caller(
            owner=found.owner,
            key_id=found.id,
            is_admin=found.is_admin,
            upload_bytes=limits.upload_bytes or self.settings.max_upload_bytes,
            open_jobs=limits.open_jobs or self.settings.max_open_jobs,
            requests_per_minute=limits.requests_per_minute or self.settings.requests_per_minute,
        )

    def _find(self, key: str) -> ApiKey | None:
        key_id = parse_key_id(key)
        if key_id is None:
            return None
        try:
            return self.keys.get(key_id)
        except ApiKeyNotFound:
            return None


def register_access(app: Flask, access: Authenticator) -> None:
    """Let nobody past without a key where one is required."""

    @app.before_request
    def recognise() -> None:
        if request.endpoint not in OPEN_ENDPOINTS:
            remember(access.authenticate(key_in_request()))

    @app.after_request
    def vary(response: Response) -> Response:
        if access.settings.keys_required and request.endpoint not in OPEN_ENDPOINTS:
            # One person's answer must not be given to another one by a cache between.
            response.vary.update(("Authorization", "Cookie"))
        return response


def key_in_request() -> str | None:
    """What the request shows as its key: a program's header, else a browser's cookie."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return key.strip() if scheme.lower() == "bearer" else None
    return request.cookies.get(COOKIE)


def _refused(code: str, detail: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        code,
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="spinelabel"'},
    )
