"""The listening socket, opened before gunicorn starts so that errors are one sentence."""

from __future__ import annotations

import os
import socket

# Unsent bytes that the kernel buffers per connection (TCP_NOTSENT_LOWAT). Small enough that the
# rate of slow clients can be measured; it does not limit the TCP window.
_UNSENT_BYTES = 64 * 1024
# Connections that wait to be accepted. Beyond that the kernel drops them, and clients retry after a
# second.
_BACKLOG = 1024


class CannotListen(Exception):
    """The address is in use, not permitted, or unknown; the message names the setting to change."""


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises `CannotListen`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotListen(
            f"SPINELABEL_API_HOST: {host!r} is not a known address ({error.strerror})."
        ) from error
    try:
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}. Stop the "
            "program that uses it, "
            "or set SPINELABEL_API_PORT (or SPINELABEL_API_HOST) to something else."
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    return listener
