"""JSON as it is read and written here: what a body may not hold is refused before anything works on it."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider

# No body that a route takes is nested deeper than three levels.
DEEPEST = 32
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJson(DefaultJSONProvider):
    """Reads UTF-8 with at most `DEEPEST` levels, without NaN and lone surrogates; writes members in their order."""

    sort_keys = False  # documents read as they are documented
    ensure_ascii = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value. Raises `ValueError`, after linear time, for what is refused."""
        text = s if isinstance(s, str) else s.decode("utf-8-sig")
        if _is_too_deep(text):
            raise ValueError(f"nested deeper than {DEEPEST} levels")
        value = super().loads(text, parse_constant=_refuse_constant, **kwargs)
        if _ESCAPED_SURROGATE.search(text):
            # Half of a character's pair cannot be stored or sent on as UTF-8.
            json.dumps(value, ensure_ascii=False).encode()
        return value


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif found[0] in "]}":
            depth -= 1
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
