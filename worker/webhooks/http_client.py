"""One POST to a receiver's server, safe against SSRF.

The name is looked up once, every address it has is checked, and the connection goes to the very address that was checked:
a name that means something else a moment later (DNS rebinding) changes nothing. Redirects are not followed, proxies
are not asked, the answer's body is not read, and the whole takes no longer than it may.
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
from worker.webhooks.retry_policy import Answered, Failed, Refused, Result

Lookup = Callable[[str, int], Sequence[str]]  # name and port → addresses. Raises `OSError`


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of the name. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, kw_only=True)
class WebhookClient:
    """How receivers are called. Every call is a connection of its own."""

    timeout_s: float
    rules: WebhookUrlRules
    lookup: Lookup = look_up
    clock: Callable[[], float] = time.monotonic
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Result:
        """Send, and say what came of it. Never raises for what the other side does."""
        deadline = self.clock() + self.timeout_s
        try:
            parts = self.rules.check_url(url)
            connection = self._connect(parts, deadline)
        except WebhookUrlRefused as error:
            return Refused(detail=f"The webhook URL is not allowed: {error}.")
        except OSError as error:
            return Failed(detail=_words(error))
        target = parts.path or "/"
        target += f"?{parts.query}" if parts.query else ""
        try:
            with _CutOff(connection.sock, deadline - self.clock()):
                if isinstance(connection.sock, ssl.SSLSocket):
                    connection.sock.do_handshake()
                connection.request("POST", target, body, dict(headers))
                # Its body is not read, and keeps the socket open until it is closed itself.
                with connection.getresponse() as answer:
                    retry_after_s = _seconds(answer.getheader("Retry-After"))
                    return Answered(status=answer.status, retry_after_s=retry_after_s)
        except (OSError, http.client.HTTPException) as error:
            if self.clock() >= deadline:
                return Failed(detail=f"No answer came within {self.timeout_s:g} seconds.")
            return Failed(detail=_words(error))
        finally:
            connection.close()

    def _connect(self, parts: SplitResult, deadline: float) -> http.client.HTTPConnection:
        """A connection to an address that was checked. Raises `WebhookUrlRefused`, `OSError`."""
        assert parts.hostname  # it was checked
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        addresses = self.lookup(parts.hostname, port)
        for address in addresses:
            self.rules.check_address(address)
        raw = self._first_that_connects(addresses, port, deadline)
        connection = http.client.HTTPConnection(parts.hostname, port, timeout=self.timeout_s)
        if tls:
            # The Host header of HTTPConnection names every port but 80.
            connection.default_port = 443
            raw = self.tls.wrap_socket(
                raw, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
        connection.sock = raw
        return connection

    def _first_that_connects(
        self, addresses: Sequence[str], port: int, deadline: float
    ) -> socket.socket:
        problem = OSError("the name has no address")
        for address in addresses:
            try:
                left = max(deadline - self.clock(), 0.001)
                return socket.create_connection((address, port), timeout=left)
            except OSError as error:
                problem = error
        raise problem


class _CutOff:
    """Ends the connection after so many seconds, however slowly the other side goes on sending."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        # A second handle on the same connection: the first one may be inside TLS at that moment.
        self._handle = socket.socket(fileno=socket.dup(connection.fileno()))
        self._timer = threading.Timer(max(seconds, 0), self._cut)
        self._timer.daemon = True

    def _cut(self) -> None:
        try:
            self._handle.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._handle.close()


def _words(error: Exception) -> str:
    """For the owner's log: the kind of failure, and nothing that the other side said."""
    match error:
        case TimeoutError():
            return "The receiver could not be reached in time."
        case socket.gaierror():
            return "The receiver's name could not be looked up."
        case ssl.SSLCertVerificationError():
            return f"The receiver's certificate is not valid: {error.verify_message}."
        case ssl.SSLError():
            return "The receiver does not speak TLS as it should."
        case ConnectionRefusedError():
            return "The receiver refused the connection."
        case OSError() if error.strerror:
            return f"The receiver could not be reached: {error.strerror}."
        case _:
            return "The receiver did not answer as a web server does."


def _seconds(text: str | None) -> float | None:
    """A Retry-After in seconds; one that is a date is not heeded."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
