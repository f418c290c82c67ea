"""`/v1/session`: sign-in and sign-out of browsers, and the current caller."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from api.auth.authentication import COOKIE, Authenticator, key_in_request
from api.auth.caller import Caller, set_caller
from api.http.openapi_responses import problems
from api.http.problems import Problem
from api.jobs.schemas import as_json
from api.openapi import SERVICE, described_routes


class SessionDocument(BaseModel):
    """The current caller."""

    keys_required: bool = Field(description="Whether this server requires API keys.")
    signed_in: bool = Field(description="Whether the request is authenticated.")
    owner: str | None = Field(
        description="Owner whose jobs are visible; null on servers without API keys."
    )
    admin: bool = Field(description="Whether the jobs of all owners are visible.")


class SessionBody(BaseModel):
    """An API key."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=200)


def session_routes(authenticator: Authenticator) -> APIBlueprint:
    """Routes that need no API key."""
    routes = described_routes("session", SERVICE, "/v1/session")

    def session_document(caller: Caller | None) -> dict[str, Any]:
        return as_json(
            SessionDocument(
                keys_required=authenticator.settings.keys_required,
                signed_in=caller is not None,
                owner=caller.owner if caller else None,
                admin=caller is not None and caller.is_admin,
            )
        )

    @routes.get("", responses={200: SessionDocument})
    def show_session() -> dict[str, Any]:
        """Show the current caller"""
        try:
            return session_document(authenticator.authenticate(key_in_request()))
        except Problem:
            return session_document(None)

    @routes.post(
        "",
        responses={
            200: SessionDocument,
            **problems("INVALID_PARAMETER", "INVALID_BODY", "UNKNOWN_PARAMETER", "CROSS_SITE"),
        },
        description="For browsers: the key is stored in a cookie that scripts cannot read, so that "
        "links and event "
        "streams are authenticated. Programs send `Authorization: Bearer KEY` instead.",
    )
    def begin_session(body: SessionBody) -> Response:
        """Sign in a browser"""
        caller = authenticator.authenticate(body.key)
        set_caller(caller)
        response = jsonify(session_document(caller))
        if caller.key_id is not None:
            response.set_cookie(
                COOKIE, body.key, httponly=True, samesite="Strict", secure=request.is_secure
            )
        return response

    @routes.delete("", responses={204: None, **problems("CROSS_SITE")})
    def end_session() -> Response:
        """Sign out a browser"""
        response = Response(status=HTTPStatus.NO_CONTENT)
        response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=request.is_secure)
        return response

    return routes
