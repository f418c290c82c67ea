"""Request bodies other than uploads: their size limit, and strict JSON."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

_STREAMED = frozenset({"jobs.submit_job", "preview.preview_catalogue"})
_MAX_BYTES = 1 << 20
# No request body of the API is nested deeper than three levels.
MAX_DEPTH = 32
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def register_body_limit(app: Flask) -> None:
    """Limit bodies that are read into memory. Uploads are streamed and have their own limit."""

    @app.before_request
    def limit_body() -> None:
        if request.endpoint not in _STREAMED:
            request.max_content_length = _MAX_BYTES


class StrictJson(DefaultJSONProvider):
    """Parses UTF-8 of at most `MAX_DEPTH` levels, without NaN and lone surrogates."""

    sort_keys = False  # members in the documented order
    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse `s`, in linear time. Raises `ValueError` for refused input."""
        text = s if isinstance(s, str) else s.decode("utf-8-sig")
        if _is_too_deep(text):
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        value = super().loads(text, parse_constant=_refuse_constant, **kwargs)
        if _ESCAPED_SURROGATE.search(text):
            # A lone surrogate cannot be encoded as UTF-8.
            json.dumps(value, ensure_ascii=False).encode()
        return value


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif token[0] in "]}":
            depth -= 1
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
