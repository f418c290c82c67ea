"""Security headers, and refusal of forwarded, misdirected and cross-site requests."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, request

from api.http.problems import Problem

# The page and /docs load everything from this server: nothing inline, no eval.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:; "  # the style sheet of Swagger UI contains icons
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
# Health checks of proxies; they reveal nothing about catalogues.
_HEALTH = frozenset({"health.healthz", "health.readyz"})
# Requested under names such as `api:8000` inside a cluster.
_PROBES = _HEALTH | {"metrics.get_metrics"}
# Headers of forwarded requests, in addition to X-Forwarded-*.
_FORWARDING = frozenset({"forwarded", "via", "x-real-ip"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def register_security(app: Flask, *, only_this_machine: bool) -> None:
    """Set security headers, and refuse requests that come from other sites.

    Args:
        only_this_machine: keys are not required, because only this machine can connect.
    """

    @app.before_request
    def refuse_forwarded_requests() -> None:
        # All clients of the proxy would appear to be on this machine.
        if only_this_machine and request.endpoint not in _HEALTH and _is_forwarded():
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "PROXY_WITHOUT_KEYS",
                "The request was forwarded by a proxy, and without API keys this server serves its "
                "own machine only; "
                "set SPINELABEL_TRUSTED_PROXIES to the number of proxies in front, which makes "
                "keys required.",
            )

    @app.before_request
    def refuse_other_hosts() -> None:
        # DNS rebinding: a site can let its name resolve to this machine, and its page would have
        # our origin.
        if only_this_machine and request.endpoint not in _PROBES and not _is_this_machine():
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "HOST_NOT_ALLOWED",
                "Without API keys this server accepts only localhost and loopback addresses as its "
                "host name; to use "
                "another name, set SPINELABEL_AUTH=required.",
            )

    @app.before_request
    def refuse_other_sites() -> None:
        # Cross-site request forgery: a form on any page could post to a server on the visitor's
        # machine. Browsers send Origin, newer ones Sec-Fetch-Site as well; programs send neither.
        if request.method in _SAFE_METHODS:
            return
        if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITES or not _has_own_origin():
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "CROSS_SITE",
                "The request comes from a page of another site; use this server's own page. If you "
                "did, let the "
                "reverse proxy forward the Host header, and set SPINELABEL_TRUSTED_PROXIES.",
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
    names = (name.lower() for name in request.headers.keys())  # noqa: SIM118  # it gives pairs
    return any(name in _FORWARDING or name.startswith("x-forwarded-") for name in names)


def _has_own_origin() -> bool:
    """Whether Origin is absent or has the scheme, host and port of the request. `null` has not."""
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
    # Browsers always send Host; programs may omit it.
    host = request.headers.get("Host")
    if host is None:
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
