"""The gRPC server on a bound address: claimed before the slow imports, so that a taken one is known at once."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from serving.settings import ServingSettings

# Status and health calls must find a thread while every place for a prediction is taken.
_THREADS_FOR_OTHER_CALLS = 8

_OPTIONS: list[tuple[str, int]] = [
    # Python's default is 4 MB; TensorFlow Serving takes what protobuf can hold.
    ("grpc.max_receive_message_length", 2**31 - 1),
    ("grpc.max_send_message_length", 2**31 - 1),
    # With port sharing a second server on the same port would start and get half of the requests.
    ("grpc.so_reuseport", 0),
    # Lets clients find out within seconds whether a silent connection is dead.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
]


class AddressUnavailable(Exception):
    """The address cannot be listened on; the message says which, and what to do."""


def listen(settings: ServingSettings) -> grpc.Server:
    """A server that holds its address and answers nothing until it is started.

    A Unix socket (`unix:PATH`) can be connected to by the user of this process only.

    Raises:
        AddressUnavailable: another process listens there, the host is not this machine, or the socket's folder
            does not exist or its path is too long.
    """
    threads = settings.executions + settings.serving_queue + _THREADS_FOR_OTHER_CALLS
    server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="call"), options=_OPTIONS)
    address = settings.serving_address
    path = address.removeprefix("unix:") if address.startswith("unix:") else None
    # gRPC replaces a socket that exists, also one that another server listens on.
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
    "cannot listen on {address}: another process does; stop it or set SPINELABEL_SERVING_ADDRESS"
)
_PORT_REFUSED = (
    "cannot listen on {address}: the port is taken or the host is not this machine; stop the other process or set"
    " SPINELABEL_SERVING_ADDRESS"
)
_SOCKET_REFUSED = (
    "cannot listen on {address}: its folder must exist and be writable, the path be at most 107 bytes long and name"
    " nothing but a socket; set SPINELABEL_SERVING_ADDRESS"
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
    """Files made meanwhile belong to this user alone; the process must have no other thread that makes any."""
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)
