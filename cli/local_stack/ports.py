"""TCP ports: whether one can be listened on, and which one is free."""

from __future__ import annotations

import errno
import socket

from ..errors import BadInput

LOOPBACK = "127.0.0.1"


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free now."""
    with _bound(host, 0) as listener:
        return int(listener.getsockname()[1])


def usable_port(host: str, port: int) -> int:
    """The port itself (0: any free one). Raises `BadInput` if it cannot be listened on."""
    try:
        with _bound(host, port) as listener:
            return int(listener.getsockname()[1])
    except socket.gaierror as error:
        raise BadInput(f"--host {host} is not an address of this machine.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"Port {port} on {host} is taken by another program. "
                f"Choose another one, for example --port {free_port(host)}."
            ) from error
        if error.errno == errno.EACCES:
            raise BadInput(
                f"Port {port} needs special rights. Choose one above 1023 with --port."
            ) from error
        raise BadInput(f"{host} port {port} cannot be listened on: {error.strerror}.") from error


def url_of(host: str, port: int) -> str:
    """Return the URL for a browser on this machine."""
    reachable = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server on that address."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # As servers do: a port with connections only in TIME_WAIT is usable.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener
