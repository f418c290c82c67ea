"""A TCP proxy for Redis that can lose one command or its reply."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

Lost = Literal["request", "reply"]


class RedisProxy:
    """Forwards to a Redis on a Unix socket; a context manager."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = [self._listener]
        self._lock = threading.Lock()
        self._cut: tuple[bytes, Lost] | None = None
        self.cuts = 0
        self.requests = 0  # one for commands that are sent together

    @property
    def url(self) -> str:
        """The URL of the proxy for Redis clients."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def cut(self, containing: bytes, lost: Lost) -> None:
        """Close the connection once, at the next command that contains these bytes.

        With `lost="request"` Redis does not receive the command; with `"reply"` it executes it.
        """
        with self._lock:
            self._cut = (containing, lost)

    def __enter__(self) -> RedisProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for connection in self._open:
            _close(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._upstream))
            self._open += [client, server]
            _Link(self, client, server).start()

    def lost_part(self, command: bytes) -> Lost | None:
        """Which part of the exchange of this command is to be lost."""
        with self._lock:
            self.requests += 1
            if self._cut is None or self._cut[0] not in command:
                return None
            (_, lost), self._cut = self._cut, None
            self.cuts += 1
            return lost


class _Link:
    """One connection, forwarded in both directions."""

    def __init__(self, proxy: RedisProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._reply_is_lost = threading.Event()

    def start(self) -> None:
        for forward in (self._commands, self._replies):
            threading.Thread(target=forward, daemon=True).start()

    def _commands(self) -> None:
        try:
            while command := self._client.recv(1 << 20):
                lost = self._proxy.lost_part(command)
                if lost == "request":
                    break
                if lost == "reply":
                    self._reply_is_lost.set()
                self._server.sendall(command)
        except OSError:  # either end was closed
            pass
        if not self._reply_is_lost.is_set():
            self._close()

    def _replies(self) -> None:
        try:
            while reply := self._server.recv(1 << 20):
                if self._reply_is_lost.is_set():
                    break
                self._client.sendall(reply)
        except OSError:  # either end was closed
            pass
        self._close()

    def _close(self) -> None:
        _close(self._client)
        _close(self._server)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):  # closed already, or a listener
        connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads from it
    connection.close()
