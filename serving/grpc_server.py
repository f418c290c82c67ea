"""A gRPC server on a bound address.

The address is bound before the slow imports, so that a conflict is reported at once.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from serving.settings import ServingSettings

# Threads for status and health calls while the limit on predictions is reached.
_THREADS_FOR_OTHER_CALLS = 8

_OPTIONS: list[tuple[str, int]] = [
    # Python's default is 4 MB; TensorFlow Serving allows what protobuf allows.
    ("grpc.max_receive_message_length", 2**31 - 1),
    ("grpc.max_send_message_length", 2**31 - 1),
    # With port sharing, a second server on the same port would get half of the requests.
    ("grpc.so_reuseport", 0),
    # Lets clients detect a dead connection within seconds.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
]


class AddressUnavailable(Exception):
    """The address cannot be bound; the message says why and what to do."""


def listen(settings: ServingSettings) -> grpc.Server:
    """Return a server that is bound to its address but not started.

    A Unix socket (`unix:PATH`) accepts connections of this process's user only.

    Raises:
        AddressUnavailable: another process listens there, the host is not this machine, or the
            folder of the socket does not exist or its path is too long.
    """
    threads = settings.executions + settings.serving_queue + _THREADS_FOR_OTHER_CALLS
    server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="call"), options=_OPTIONS)
    address = settings.serving_address
    path = address.removeprefix("unix:") if address.startswith("unix:") else None
    # gRPC replaces an existing socket, even if another server listens on it.
    if path is not None and _is_listened_on(path):
        raise AddressUnavailable(_IN_USE.format(address=address))
    try:
        with _private_files():
            server.add_insecure_port(address)
    except RuntimeError as error:
        reason = _PORT_REFUSED if path is None else _SOCKET_REFUSED
        raise AddressUnavailable(reason.format(address=address)) from error
    return server


_IN_USE = (
    "cannot listen on {address}: the address is in use; stop the other process or set"
    " SPINELABEL_SERVING_ADDRESS"
)
_PORT_REFUSED = (
    "cannot listen on {address}: the port is in use or the host is not this machine; stop the"
    " other process or set SPINELABEL_SERVING_ADDRESS"
)
_SOCKET_REFUSED = (
    "cannot listen on {address}: its folder must exist and be writable, and the path must have at"
    " most 107 bytes and not name another file; set SPINELABEL_SERVING_ADDRESS"
)


def _is_listened_on(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Create files with mode 0600. The umask is the process's: no other thread may create files."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
