"""What an HTTP answer of the API means: a document, or a problem (RFC 9457)."""

from __future__ import annotations

from typing import Any, NoReturn

import httpx

from ..errors import ApiProblem, ServerUnreachable


def document_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object that the answer carries. Raises `ApiProblem`, `ServerUnreachable`."""
    if answer.is_error:
        raise_problem(answer)
    document = _json_object(answer)
    if document is None:
        raise ServerUnreachable(f"{answer.url} answers, but not as Spinelabel does.")
    return document


def raise_problem(answer: httpx.Response) -> NoReturn:
    """Raise the `ApiProblem` that the answer describes, as well as it does."""
    problem = _json_object(answer) or {}
    title = problem.get("title") or answer.reason_phrase or "no reason given"
    raise ApiProblem(
        code=str(problem.get("code") or f"HTTP_{answer.status_code}"),
        status=answer.status_code,
        sentence=str(
            problem.get("detail") or f"{answer.url} answered {answer.status_code}: {title}."
        ),
    )


def code_of(answer: httpx.Response) -> str | None:
    """The problem's code; None if the answer is no problem document."""
    code = (_json_object(answer) or {}).get("code")
    return code if isinstance(code, str) else None


def what_is_missing(answer: httpx.Response) -> str:
    """What keeps a server from being ready, from its answer at /readyz."""
    checks = (_json_object(answer) or {}).get("checks")
    if not isinstance(checks, dict):
        return f"it answers {answer.status_code}"
    lacking = [
        f"{name} ({check.get('detail') or 'not ready'})"
        for name, check in checks.items()
        if isinstance(check, dict) and not check.get("ok")
    ]
    return ", ".join(lacking) or f"it answers {answer.status_code}"


def _json_object(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
