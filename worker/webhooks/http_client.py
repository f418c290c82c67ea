"""One POST to a receiver's server, safe against SSRF.

The name is resolved once, all its addresses are checked, and the connection goes to a checked
address. A name that resolves differently afterwards (DNS rebinding) therefore has no effect.
Redirects are not followed, proxies are not used, the response body is not read, and one timeout
covers the whole call.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult

from jobs.webhook_urls import WebhookUrlRefused, WebhookUrlRules
from worker.webhooks.retry_policy import AttemptResult, ForbiddenUrl, HttpResponse, NoResponse

Lookup = Callable[[str, int], Sequence[str]]
"""Name and port → addresses. Raises `OSError`."""


def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of the name. Raises `OSError`."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


@dataclass(frozen=True, kw_only=True)
class WebhookClient:
    """Settings of calls to receivers. Each call opens a connection."""

    timeout_s: float
    rules: WebhookUrlRules
    lookup: Lookup = look_up
    clock: Callable[[], float] = time.monotonic
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> AttemptResult:
        """Send the request. Errors of the receiver or the network are returned, not raised."""
        deadline = self.clock() + self.timeout_s
        try:
            parts = self.rules.check_url(url)
            connection = self._connect(parts, deadline)
        except WebhookUrlRefused as error:
            return ForbiddenUrl(detail=f"The webhook URL is not allowed: {error}.")
        except OSError as error:
            return NoResponse(detail=_describe(error))
        target = parts.path or "/"
        target += f"?{parts.query}" if parts.query else ""
        try:
            with _Timeout(connection.sock, deadline - self.clock()):
                if isinstance(connection.sock, ssl.SSLSocket):
                    connection.sock.do_handshake()
                connection.request("POST", target, body, dict(headers))
                # The body is not read; closing the response closes the socket.
                with connection.getresponse() as response:
                    retry_after_s = _seconds(response.getheader("Retry-After"))
                    return HttpResponse(status=response.status, retry_after_s=retry_after_s)
        except (OSError, http.client.HTTPException) as error:
            if self.clock() >= deadline:
                return NoResponse(
                    detail=f"The receiver did not answer within {self.timeout_s:g} seconds."
                )
            return NoResponse(detail=_describe(error))
        finally:
            connection.close()

    def _connect(self, parts: SplitResult, deadline: float) -> http.client.HTTPConnection:
        """Connect to a checked address. Raises `WebhookUrlRefused`, `OSError`."""
        assert parts.hostname  # `check_url` requires one
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        addresses = self.lookup(parts.hostname, port)
        for address in addresses:
            self.rules.check_address(address)
        raw = self._connect_to_any(addresses, port, deadline)
        connection = http.client.HTTPConnection(parts.hostname, port, timeout=self.timeout_s)
        if tls:
            # The Host header of HTTPConnection names every port but 80.
            connection.default_port = 443
            raw = self.tls.wrap_socket(
                raw, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
        connection.sock = raw
        return connection

    def _connect_to_any(
        self, addresses: Sequence[str], port: int, deadline: float
    ) -> socket.socket:
        last_error = OSError("the name has no address")
        for address in addresses:
            try:
                left = max(deadline - self.clock(), 0.001)
                return socket.create_connection((address, port), timeout=left)
            except OSError as error:
                last_error = error
        raise last_error


class _Timeout:
    """Shuts the connection down after a total time, also while the receiver keeps sending."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        # A second descriptor of the same connection: the first may be inside TLS.
        self._handle = socket.socket(fileno=socket.dup(connection.fileno()))
        self._timer = threading.Timer(max(seconds, 0), self._cut)
        self._timer.daemon = True

    def _cut(self) -> None:
        try:
            self._handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._handle.close()


def _describe(error: Exception) -> str:
    """The kind of failure for the owner's log, without text from the receiver."""
    match error:
        case TimeoutError():
            return "The receiver could not be reached in time."
        case socket.gaierror():
            return "The receiver's name could not be resolved."
        case ssl.SSLCertVerificationError():
            return f"The receiver's certificate is not valid: {error.verify_message}."
        case ssl.SSLError():
            return "The TLS handshake with the receiver failed."
        case ConnectionRefusedError():
            return "The receiver refused the connection."
        case OSError() if error.strerror:
            return f"The receiver could not be reached: {error.strerror}."
        case _:
            return "The receiver did not send a valid HTTP response."


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; dates are ignored."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
