"""Request URLs and client IPs for logs, without private or secret parts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from jobs.logs.masking import mask_secrets

_IN_PATHS = "/:@+,;="
# Parameters whose values reveal nothing about a person or a catalogue. All other values are
# omitted: searches contain words of rows, webhook URLs contain tokens, and clients send keys by
# mistake.
_SHOWN_PARAMETERS = frozenset(
    {
        "after",
        "alternatives",
        "created_after",
        "created_before",
        "error_threshold",
        "evidence",
        "filter",
        "format",
        "limit",
        "neutralise_formulas",
        "review_threshold",
        "state",
        "total_bytes",
    }
)
_HARMLESS_VALUE = re.compile(r"[A-Za-z0-9_.:+-]{0,64}")
_PLAIN_NAME = re.compile(r"[a-z_]{1,32}")


def logged_path(environ: Mapping[str, Any]) -> str:
    """Return the percent-encoded path of a WSGI request."""
    path = str(environ.get("PATH_INFO", "")).encode("latin-1", "replace")
    return mask_secrets(quote(path, safe=_IN_PATHS))


def logged_url(environ: Mapping[str, Any]) -> str:
    """Return the path and query of a WSGI request; `-` replaces each omitted name or value."""
    query = str(environ.get("QUERY_STRING", ""))
    parameters = "&".join(_logged_parameter(part) for part in query.split("&"))
    return logged_path(environ) + (f"?{parameters}" if query else "")


def _logged_parameter(part: str) -> str:
    name, _, value = (unquote_plus(piece) for piece in part.partition("="))
    if not _PLAIN_NAME.fullmatch(name):
        return "-"
    is_logged = name in _SHOWN_PARAMETERS and _HARMLESS_VALUE.fullmatch(value)
    return f"{name}={mask_secrets(value) if is_logged else '-'}"


def client_ip(environ: Mapping[str, Any]) -> str | None:
    """Return the client's IP address, as trusted proxies report it; None if it is invalid."""
    # A forwarded header may contain anything.
    return _checked(environ.get("REMOTE_ADDR"))


def peer_ip(environ: Mapping[str, Any]) -> str | None:
    """Return the IP address of the peer, regardless of headers; None for a Unix socket."""
    before_proxies = environ.get("werkzeug.proxy_fix.orig", environ)
    return _checked(before_proxies.get("REMOTE_ADDR"))


def _checked(address: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(address or ""))
    except ValueError:
        return None
