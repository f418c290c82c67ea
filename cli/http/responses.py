"""Reads responses of the API: documents, and problems (RFC 9457)."""

from __future__ import annotations

from typing import Any, NoReturn

import httpx

from ..errors import ApiProblem, ServerUnreachable


def document_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON object in the response. Raises `ApiProblem`, `ServerUnreachable`."""
    if response.is_error:
        raise_problem(response)
    document = _json_object(response)
    if document is None:
        raise ServerUnreachable(f"{response.url} answers, but is not a Spinelabel server.")
    return document


def raise_problem(response: httpx.Response) -> NoReturn:
    """Raise the `ApiProblem` that the response describes."""
    problem = _json_object(response) or {}
    title = problem.get("title") or response.reason_phrase or "no reason given"
    raise ApiProblem(
        code=str(problem.get("code") or f"HTTP_{response.status_code}"),
        status=response.status_code,
        sentence=str(
            problem.get("detail") or f"{response.url} answered {response.status_code}: {title}."
        ),
    )


def code_of(response: httpx.Response) -> str | None:
    """The problem's code; None if the response is not a problem document."""
    code = (_json_object(response) or {}).get("code")
    return code if isinstance(code, str) else None


def describe_readiness(response: httpx.Response) -> str:
    """Why a server is not ready, from its response at /readyz."""
    checks = (_json_object(response) or {}).get("checks")
    if not isinstance(checks, dict):
        return f"it answers {response.status_code}"
    failed = [
        f"{name} ({check.get('detail') or 'not ready'})"
        for name, check in checks.items()
        if isinstance(check, dict) and not check.get("ok")
    ]
    return ", ".join(failed) or f"it answers {response.status_code}"


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        document = response.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
