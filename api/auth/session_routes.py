"""`/v1/session`: how a browser hands its key in and back, and who one is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.auth.authentication import COOKIE, Authenticator, key_in_request
from api.auth.caller import Caller, remember
from api.http.openapi_responses import problems
from api.http.problems import Problem
from api.jobs.schemas import as_json
from api.openapi import SERVICE, described_routes


class SessionDocument(BaseModel):
    """Who one is here."""

    keys_required: bool = Field(description="Whether this server asks for keys at all.")
    signed_in: bool = Field(description="Whether requests like this one are served.")
    owner: str | None = Field(description="Whose jobs one sees; null where no key is asked for.")
    admin: bool = Field(description="Whether one sees everybody's jobs.")


class SessionBody(BaseModel):
    """A key, as it was given out."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=200)


def session_routes(access: Authenticator) -> APIBlueprint:
    """The endpoints; none of them needs a key."""
    routes = described_routes("session", SERVICE, "/v1/session")

    def answer(caller: Caller | None) -> dict[str, Any]:
        return as_json(
            SessionDocument(
                keys_required=access.settings.keys_required,
                signed_in=caller is not None,
                owner=caller.owner if caller else None,
                admin=caller is not None and caller.is_admin,
            )
        )

    @routes.get("", responses={200: SessionDocument})
    def show_session() -> dict[str, Any]:
        """Who one is here, and whether a key is needed"""
        try:
            return answer(access.authenticate(key_in_request()))
        except Problem:
            return answer(None)

    @routes.post(
        "",
        responses={
            200: SessionDocument,
            **problems("INVALID_PARAMETER", "INVALID_BODY", "UNKNOWN_PARAMETER", "CROSS_SITE"),
        },
        description="For browsers: the key comes back as a cookie that scripts cannot read, so that links and event "
        "streams need nothing more. Programs send `Authorization: Bearer KEY` instead.",
    )
    def begin_session(body: SessionBody) -> Response:
        """Hand a key in, for a browser"""
        caller = access.authenticate(body.key)
        remember(caller)
        response = jsonify(answer(caller))
        if caller.key_id is not None:
            response.set_cookie(
                COOKIE, body.key, httponly=True, samesite="Strict", secure=request.is_secure
            )
        return response

    @routes.delete("", responses={204: None, **problems("CROSS_SITE")})
    def end_session() -> Response:
        """Forget the browser's key"""
        response = Response(status=HTTPStatus.NO_CONTENT)
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    return routes
