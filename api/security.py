"""What every answer says to the browser, and which requests of a browser are refused."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, request

from api.http.problems import Problem

# The page and the viewer at /docs take everything from this server, in files of their own: nothing inline, no eval.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:; "  # the viewer has its signs in its style sheet
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_TLS_HEADERS = {"Strict-Transport-Security": "max-age=31536000"}

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})
# A proxy's own health checks; they say nothing of a catalogue.
_HEALTH = frozenset({"health.healthz", "health.readyz"})
# Asked for under names like `api:8000` from within a cluster.
_PROBES = _HEALTH | {"metrics.get_metrics"}
# What proxies add to a request that they pass on, beside X-Forwarded-*.
_FORWARDING = frozenset({"forwarded", "via", "x-real-ip"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def register_security(app: Flask, *, only_this_machine: bool) -> None:
    """Headers on every answer; no change at the wish of another site's page.

    Args:
        only_this_machine: no key is asked for, because nobody else can connect.
    """

    @app.before_request
    def refuse_forwarded_requests() -> None:
        # Everybody that the proxy serves would seem to be at this machine.
        if only_this_machine and request.endpoint not in _HEALTH and _is_forwarded():
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "PROXY_WITHOUT_KEYS",
                "This request came through a proxy, and without keys this server answers to its own machine alone; "
                "set SPINELABEL_TRUSTED_PROXIES to the number of proxies in front, which makes keys required.",
            )

    @app.before_request
    def refuse_other_names() -> None:
        # A site can have its own name resolve to this machine, and its page would then be of the same origin as ours.
        if only_this_machine and request.endpoint not in _PROBES and not _is_this_machine():
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "HOST_NOT_ALLOWED",
                "Without keys this server answers to localhost and loopback addresses alone; to serve it under "
                "another name, set SPINELABEL_AUTH=required.",
            )

    @app.before_request
    def refuse_other_sites() -> None:
        # A form on any page could post to a server on the visitor's own machine. Browsers say where a request comes
        # from, all of them in Origin and newer ones in Sec-Fetch-Site as well; programs send neither.
        if request.method in _SAFE_METHODS:
            return
        if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES or not _has_own_origin():
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "CROSS_SITE",
                "This request comes from another site's page; use this server's own page. If it came from there, let "
                "the reverse proxy pass the Host header on, and set SPINELABEL_TRUSTED_PROXIES.",
            )

    @app.after_request
    def add_headers(response: Response) -> Response:
        is_page = response.mimetype in ("text/html", "image/svg+xml")
        response.headers["Content-Security-Policy"] = _PAGE_POLICY if is_page else _DATA_POLICY
        response.headers.update(_HEADERS | (_TLS_HEADERS if request.is_secure else {}))
        if response.mimetype == "application/json":
            response.headers["Cache-Control"] = "no-store"
        return response


def _is_forwarded() -> bool:
    names = (name.lower() for name in request.headers.keys())  # noqa: SIM118  # iterating gives pairs
    return any(name in _FORWARDING or name.startswith("x-forwarded-") for name in names)


def _has_own_origin() -> bool:
    """Whether the request names no origin, or the scheme, host and port that it was sent to; `null` is another one."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    own = _origin_of(f"{request.scheme}://{request.headers.get('Host', '')}")
    return own is not None and _origin_of(origin) == own


def _origin_of(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _is_this_machine() -> bool:
    # Browsers always say which name they asked for; a program may leave it out.
    host = request.headers.get("Host")
    if host is None:
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
