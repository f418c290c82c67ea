"""A webhook receiver on loopback whose responses tests choose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext


@dataclass
class ReceivedRequest:
    """One request as received."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass
class Receiver:
    """The received requests; `respond` sends the response through the handler."""

    respond: Callable[[BaseHTTPRequestHandler], None]
    port: int = 0
    requests: list[ReceivedRequest] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=1"


def respond_with(*statuses: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Responds with these statuses in turn, then always with the last one."""
    remaining = list(statuses)

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(remaining.pop(0) if len(remaining) > 1 else remaining[0])
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return respond


@contextmanager
def running_receiver(
    respond: Callable[[BaseHTTPRequestHandler], None], tls: SSLContext | None = None
) -> Iterator[Receiver]:
    """Serve on a free port of loopback during the block."""
    receiver = Receiver(respond)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(ReceivedRequest(self.path, headers, body))
            receiver.respond(self)

        def log_message(self, format: str, *args: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
