"""The listening socket, made before gunicorn starts so that a failure is one sentence."""

from __future__ import annotations

import os
import socket

# Bytes that may wait in the kernel to be sent on one connection. It leaves the window of a long
# connection alone, and a client that takes them slowly makes room often enough to be measured.
_UNSENT_BYTES = 64 * 1024
# Connections that wait to be accepted. When there are more, the kernel drops them, and a client tries
# again only after a second.
_BACKLOG = 1024


class CannotListen(Exception):
    """The address is taken, not ours to use, or unknown; the message says which setting to change."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `CannotListen`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotListen(
            f"SPINELABEL_API_HOST: {host!r} is no known address ({error.strerror})."
        ) from error
    try:
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}. Stop the program that uses it, "
            "or set SPINELABEL_API_PORT (or SPINELABEL_API_HOST) to something else."
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    return listener
