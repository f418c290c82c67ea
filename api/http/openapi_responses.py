"""Pieces of the OpenAPI description, for the routes that say what they answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask_openapi3.models import OPENAPI3_REF_PREFIX
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel

from api.http.problem_codes import CODES

_HEADERS: Mapping[str, str] = {
    "Location": "Where the job is.",
    "Retry-After": "Seconds after which asking again makes sense.",
    "Idempotency-Replayed": "With an Idempotency-Key: whether an earlier request has made this job.",
    "Preference-Applied": "How long the answer would have waited.",
    "ETag": "Identifies the bytes; send it in If-None-Match or If-Range.",
    "Content-Disposition": "The name under which to save it.",
    "Accept-Ranges": "`bytes`: parts can be asked for with Range.",
    "Content-Range": "Which bytes of how many these are.",
}


def problems(*codes: str) -> ResponseDict:
    """The responses of these codes, one for each status; every operation has the server's own problems beside them."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in codes:
        by_status[CODES[code].status].append(f"`{code}`: {CODES[code].when}")
    return {
        str(int(status)): _content(
            "ProblemDocument", "application/problem+json", "\n\n".join(sentences)
        )
        for status, sentences in by_status.items()
    }


def document(
    model: type[BaseModel],
    description: str,
    *,
    headers: tuple[str, ...] = (),
    leads_to: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A JSON answer with headers. `model` has to be the plain answer of another operation, which describes it.

    `leads_to` names operations that take the answer's `id` as their `job_id`.
    """
    parameters = {"job_id": "$response.body#/id"}
    return {
        **_content(model.__name__, "application/json", description),
        "headers": _headers(headers),
        "links": {name: {"operationId": name, "parameters": parameters} for name in leads_to},
    }


def file(description: str, *types: str, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer that is a file of one of these media types."""
    return {
        "description": description,
        "content": {kind: {"schema": {"type": "string"}} for kind in types},
        "headers": _headers(headers),
    }


def _content(model: str, kind: str, description: str) -> dict[str, Any]:
    reference = {"$ref": f"{OPENAPI3_REF_PREFIX}/{model}"}
    return {"description": description, "content": {kind: {"schema": reference}}}


def _headers(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}
