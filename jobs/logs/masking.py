"""Masks API keys and webhook secrets in log output, and escapes what could forge a line."""

from __future__ import annotations

import re

# A key is `sl_`, twelve hex digits that are its public id, `_` and the secret; see `jobs.api_keys`.
_KEY = re.compile(r"(sl_[0-9a-f]{12})_[0-9a-z]+", re.IGNORECASE)
_LIKE_A_KEY = re.compile(r"(?<![0-9a-z])sl_[0-9a-z_]{13,}", re.IGNORECASE)
_WEBHOOK_SECRET = re.compile(r"whsec_[0-9a-z+/=_-]+", re.IGNORECASE)
_MASK = "***"


def mask_secrets(text: str) -> str:
    """Return the text without the secret part of API keys and without webhook secrets."""
    text = _KEY.sub(rf"\1_{_MASK}", text)
    text = _LIKE_A_KEY.sub(_mask_unless_key_id, text)
    return _WEBHOOK_SECRET.sub(f"whsec_{_MASK}", text)


def escape_line(text: str) -> str:
    """Return the text masked and on one line; unprintable characters are escaped as in Python."""
    text = mask_secrets(text)
    if text.isprintable():
        return text
    # Control characters, line separators, bidirectional overrides, lone surrogates.
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _mask_unless_key_id(match: re.Match[str]) -> str:
    # The first pattern leaves `ID_`; an id is public.
    return match[0] if match[0].endswith("_") else f"sl_{_MASK}"
