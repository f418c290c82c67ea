"""Response objects of the OpenAPI description."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from flask_openapi3.models import OPENAPI3_REF_PREFIX
from flask_openapi3.types import ResponseDict
from pydantic import BaseModel

from api.http.problem_codes import CODES

_HEADERS: Mapping[str, str] = {
    "Location": "URL of the job.",
    "Retry-After": "Seconds to wait before the next request.",
    "Idempotency-Replayed": "With an Idempotency-Key: whether an earlier request created this job.",
    "Preference-Applied": "The wait time that was applied.",
    "ETag": "Identifies this version; send it in If-None-Match or If-Range.",
    "Content-Disposition": "Suggested file name.",
    "Accept-Ranges": "`bytes`: Range requests are supported.",
    "Content-Range": "Position of these bytes, and the total size.",
}


def problems(*codes: str) -> ResponseDict:
    """Return the responses for these codes, grouped by status.

    `described_routes` adds those that every operation has.
    """
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
    """Return a JSON response with headers.

    Args:
        model: the document; its schema must be registered by another operation.
        leads_to: ids of operations that take the document's `id` as `job_id`.
    """
    parameters = {"job_id": "$response.body#/id"}
    return {
        **_content(model.__name__, "application/json", description),
        "headers": _headers(headers),
        "links": {name: {"operationId": name, "parameters": parameters} for name in leads_to},
    }


def file(description: str, *types: str, headers: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a response that is a file of one of these media types."""
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
