"""Clients that are slow on purpose: one thread drives all of a kind, so that sixty cost little."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

_EVERY_S = 0.1


class SlowClients:
    """Connections that send `opening` and then `drip` repeatedly, while the block runs.

    Each one that the server closes is replaced. Clients that do not read do not notice that,
    so they stay.
    """

    def __init__(
        self, url: str, opening: bytes, *, drip: bytes = b"", reads: bool = True, count: int = 60
    ) -> None:
        address = urlsplit(url)
        self._address = (address.hostname or "", address.port or 0)
        self._opening, self._drip, self._reads, self._count = opening, drip, reads, count
        self._selector = selectors.DefaultSelector()
        self._open: dict[socket.socket, bytearray] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.opened = 0
        self.closed = 0  # by the server
        self.responses: Counter[bytes] = Counter()  # by the status line's first bytes

    def __enter__(self) -> SlowClients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for connection in list(self._open):
            connection.close()
        self._selector.close()

    @property
    def initial_clients_closed(self) -> bool:
        """Whether the server has closed as many connections as are open at a time."""
        return self.closed >= self._count

    def stop_and_read(self) -> list[int]:
        """Stop sending, read each connection to its end, and return the numbers of bytes."""
        self._stop.set()
        self._thread.join()
        return [self._read_all(connection) for connection in self._open]

    def _read_all(self, connection: socket.socket) -> int:
        connection.setblocking(True)
        connection.settimeout(20)
        count = 0
        try:
            while block := connection.recv(1 << 20):
                count += len(block)
        except ConnectionError:  # closed by the server
            pass
        return count

    def _run(self) -> None:
        while not self._stop.is_set():
            while len(self._open) < self._count and not self._stop.is_set():
                self._open_connection()
            drip_at = time.monotonic() + _EVERY_S
            while (left := drip_at - time.monotonic()) > 0:
                for key, _ in self._selector.select(left) if self._reads else ():
                    self._receive(key.fileobj)
                if not self._reads:
                    time.sleep(left)
            for connection in list(self._open):
                self._send(connection)

    def _open_connection(self) -> None:
        connection = socket.socket()
        if not self._reads:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(self._address)
        self.opened += 1
        self._open[connection] = bytearray()
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ)
        try:
            connection.send(self._opening)
        except OSError:
            self._close_connection(connection)

    def _send(self, connection: socket.socket) -> None:
        try:
            if self._drip:
                connection.send(self._drip)
        except BlockingIOError:
            pass
        except OSError:
            self._close_connection(connection)

    def _receive(self, connection: Any) -> None:
        try:
            block = connection.recv(65536)
        except OSError:
            block = b""
        self._open[connection] += block
        if not block:
            self._close_connection(connection)

    def _close_connection(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        self.responses[bytes(self._open.pop(connection)[:12])] += 1
        connection.close()
        self.closed += 1
