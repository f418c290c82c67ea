"""The gRPC server as a bound port: claimed before the slow imports, so that a busy one is known at once."""

from __future__ import annotations

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
    """A server that holds its port and answers nothing until it is started.

    Raises:
        AddressUnavailable: another process has the port, or the host is not this machine.
    """
    threads = settings.executions + settings.serving_queue + _THREADS_FOR_OTHER_CALLS
    server = grpc.server(ThreadPoolExecutor(threads, thread_name_prefix="call"), options=_OPTIONS)
    try:
        server.add_insecure_port(settings.serving_address)
    except RuntimeError as error:
        raise AddressUnavailable(
            f"cannot listen on {settings.serving_address}: the port is taken or the host is not this"
            " machine; stop the other process or set SPINELABEL_SERVING_ADDRESS"
        ) from error
    return server
