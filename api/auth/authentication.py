"""Authenticates every request by its API key."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, request

from api.auth.caller import Caller, set_caller
from api.http.problems import Problem
from api.settings import ApiSettings
from jobs.api_keys import ApiKey, parse_key_id
from jobs.errors import ApiKeyNotFound
from jobs.ports.api_keys import ApiKeyStore

COOKIE = "spinelabel_key"

# Endpoints without authentication: the page and its files, the description, probes and sign-in.
# All others need a key.
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
    """Looks up API keys, and applies the default limits of the settings."""

    settings: ApiSettings
    keys: ApiKeyStore

    def authenticate(self, key: str | None) -> Caller:
        """Return the caller with this key.

        Raises `Problem` if a key is required and this one is missing or invalid.
        """
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
                "This server requires an API key; send it as 'Authorization: Bearer KEY', or ask "
                "the operator for one.",
            )
        api_key = self._find(key)
        if api_key is None or not api_key.verify(key):
            raise _refused(
                "INVALID_API_KEY",
                "This API key is unknown or was revoked; check it, or ask the operator for another "
                "one.",
            )
        limits = api_key.limits
        return Caller(
            owner=api_key.owner,
            key_id=api_key.id,
            is_admin=api_key.is_admin,
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


def register_authentication(app: Flask, authenticator: Authenticator) -> None:
    """Reject unauthenticated requests."""

    @app.before_request
    def authenticate() -> None:
        if request.endpoint not in OPEN_ENDPOINTS:
            set_caller(authenticator.authenticate(key_in_request()))

    @app.after_request
    def vary(response: Response) -> Response:
        if authenticator.settings.keys_required and request.endpoint not in OPEN_ENDPOINTS:
            # Shared caches must not serve one caller's response to another.
            response.vary.update(("Authorization", "Cookie"))
        return response


def key_in_request() -> str | None:
    """Return the API key of the request, from the Authorization header or the cookie."""
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
