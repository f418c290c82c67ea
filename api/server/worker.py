"""A threaded gunicorn worker whose threads wait for a client only while its request holds a permit.

gunicorn's own worker reads requests in the serving thread, so that a few slow clients can occupy
all threads. Here the main loop also reads heads and small bodies, and drains connections after
their response. docs/decisions/0030 gives the reasons.
"""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, ParseException
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from api.server.arrival import Arrival, RequestLate
from api.server.client_socket import ClientSocket, TransferBounds

_BLOCK_BYTES = 64 * 1024
# Each probe has its own thread: readiness may wait for Redis, liveness never does.
_PROBES = (b"healthz", b"readyz")
# Lingering close: closing a socket with unread bytes resets it, and many clients would report the
# reset instead of the response.
_LINGER_S = 10.0
_LINGER_BYTES = 64 * 1024 * 1024
_EXPIRE_EVERY_S = 0.25


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Passes requests to threads once they have arrived; the main loop does everything else.

    A connection is idle (gunicorn's `keepalived_conns`), arriving, served by a thread, or
    lingering. All methods except `handle`, `handle_request` and `handle_error` run in the main
    loop.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.app.settings
        self._bounds = TransferBounds(settings.api_idle_timeout_s, settings.api_min_bytes_per_s)
        self._arriving: dict[TConn, Arrival] = {}  # oldest first
        self._served: set[TConn] = set()
        self._lingering: dict[TConn, int] = {}  # bytes that may still be discarded
        self._expire_at = 0.0  # monotonic

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Create the threads. Called by gunicorn after the fork."""
        self._probe_pools = {name: ThreadPoolExecutor(max_workers=1) for name in _PROBES}
        pool: ThreadPoolExecutor = super().get_thread_pool()
        return pool

    # Arriving

    def enqueue_req(self, conn: TConn) -> None:
        """Wait for the connection's next request.

        Called by gunicorn for new, idle and pipelining connections.
        """
        if not conn.initialized:
            self._make_room()
            conn.sock = ClientSocket(conn.sock, self._bounds)
            conn.init()
        conn.sock.begin_request()
        conn.timeout = time.monotonic() + self.app.settings.api_header_timeout_s
        self._arriving[conn] = Arrival()
        self.poller.register(conn.sock, EVENT_READ, partial(self._receive, conn))
        if read_ahead := conn.parser.unreader.take_buffered():
            self._append(conn, read_ahead)
        else:
            self._receive(conn)

    def _receive(self, conn: TConn, _sock: object = None) -> None:
        try:
            block = conn.sock.receive_now(_BLOCK_BYTES)
        except OSError:
            self._close(conn)
            return
        if block is not None:
            self._append(conn, block)

    def _append(self, conn: TConn, block: bytes) -> None:
        arrival = self._arriving[conn]
        had_head = arrival.has_head
        try:
            arrival.add(block)
        except LimitRequestHeaders as error:
            self._refuse(conn, error)
            return
        if not arrival.received:
            self._close(conn)  # closed without sending a request
        elif arrival.is_ready:
            self._serve(conn, arrival)
        elif arrival.has_head and not had_head:
            conn.timeout = time.monotonic() + self.app.settings.api_body_timeout_s

    def _serve(self, conn: TConn, arrival: Arrival) -> None:
        del self._arriving[conn]
        self.poller.unregister(conn.sock)
        conn.parser.unreader.unread(bytes(arrival.received))
        conn.sock.body_follows = arrival.body_follows
        self._served.add(conn)
        pool = self.tpool if arrival.probe is None else self._probe_pools[arrival.probe]
        future = pool.submit(self.handle, conn)
        future.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def _refuse(self, conn: TConn, error: Exception) -> None:
        """Refuse a request without a thread, as far as the response can be sent without waiting."""
        self._respond(conn.sock, conn.client, error)
        self._linger(conn)

    def _make_room(self) -> None:
        """At the connection limit, close the oldest connection of the most frequent kind."""
        if self.nr_conns >= self.worker_connections:
            kind = max(self._arriving, self._lingering, self.keepalived_conns, key=len)
            for oldest in list(kind)[:1]:
                self._close(oldest)

    # Served, by a thread

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Serve one request."""
        if conn.sock.body_follows:
            # The start of the next request is unknown unless the whole body is read.
            req.force_close()
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Answer parse errors with a problem document; leave other errors to gunicorn."""
        if isinstance(exc, ParseException):
            self._respond(client, addr, exc)
        else:
            super().handle_error(req, client, addr, exc)

    def _respond(self, client: ClientSocket, address: Any, error: Exception) -> None:
        from api.server.parse_errors import (
            parse_error_response,  # not imported in the parent process, to save memory
        )

        status, response = parse_error_response(error)
        with suppress(OSError):  # the client may have disconnected
            client.sendall(response)
        self.log.unparsed(address, status, len(response), error)

    # Served: back in the main loop

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """Wait for the connection's next request, or close it."""
        self._served.discard(conn)
        if not fs.cancelled() and fs.exception() is None and fs.result():
            super().finish_request(conn, fs)
        else:
            self._linger(conn)

    # Lingering

    def _linger(self, conn: TConn) -> None:
        """Close the connection after the client had time to read the response."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # already closed
            self._close(conn)
            return
        if self._arriving.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)
        conn.timeout = time.monotonic() + _LINGER_S
        self._lingering[conn] = _LINGER_BYTES
        self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))

    def _discard(self, conn: TConn, _sock: object = None) -> None:
        try:
            block = conn.sock.receive_now(_BLOCK_BYTES)
        except OSError:
            block = b""
        if block is None:
            return
        self._lingering[conn] -= len(block)
        if not block or self._lingering[conn] < 0:
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        self._arriving.pop(conn, None)
        self._lingering.pop(conn, None)
        with suppress(ValueError):
            self.keepalived_conns.remove(conn)
        with suppress(KeyError, ValueError):  # not registered
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close connections whose timeout has expired.

        Called by gunicorn in every turn of the main loop.
        """
        now = time.monotonic()
        if now < self._expire_at:
            return
        self._expire_at = now + _EXPIRE_EVERY_S
        for conn in [conn for conn in self._lingering if conn.timeout <= now]:
            self._close(conn)
        for conn in [conn for conn in self._arriving if conn.timeout <= now]:
            if self._arriving[conn].received:
                self._refuse(conn, RequestLate("the request did not arrive in time"))
            else:
                self._close(conn)

    # Stopping

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM: finish running requests, and cut them off after the shutdown timeout."""
        super().handle_exit(sig, frame)
        self.method_queue.defer(self._hasten)
        timer = threading.Timer(
            self.app.settings.api_shutdown_timeout_s,
            lambda: self.method_queue.defer(self._cut_connections),
        )
        timer.daemon = True
        timer.start()

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """SIGINT and SIGQUIT: stop immediately."""
        self._cut_served()
        super().handle_quit(sig, frame)

    def _hasten(self) -> None:
        """Shorten the timeout of connections without a request to that of idle ones."""
        latest = time.monotonic() + STOP_KEEPALIVE_LINGER
        for conn in (*self._arriving, *self._lingering):
            if not (conn in self._arriving and self._arriving[conn].received):
                conn.timeout = min(conn.timeout, latest)

    def _cut_connections(self) -> None:
        self._cut_served()
        for conn in (*self._arriving, *self._lingering):
            self._close(conn)

    def _cut_served(self) -> None:
        """Make every waiting read and write fail, so that running requests clean up."""
        for conn in tuple(self._served):
            with suppress(OSError):  # just ended
                conn.sock.shutdown(socket.SHUT_RDWR)
