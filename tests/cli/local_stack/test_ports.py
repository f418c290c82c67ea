"""Free ports, and the URL of a server on a port."""

from __future__ import annotations

import socket

import pytest

from cli.errors import BadInput
from cli.local_stack import ports


def test_a_free_port_is_usable_until_a_server_listens_on_it() -> None:
    port = ports.free_port()
    assert ports.usable_port("127.0.0.1", port) == port
    occupied = pytest.raises(BadInput, match=f"Port {port} on 127.0.0.1 is taken")
    with socket.create_server(("127.0.0.1", port)), occupied:
        ports.usable_port("127.0.0.1", port)


def test_an_unusable_address_is_reported_in_one_sentence() -> None:
    with pytest.raises(BadInput, match=r"no-such-host\.invalid"):
        ports.usable_port("no-such-host.invalid", 0)
    with pytest.raises(BadInput, match="cannot be listened on"):
        ports.usable_port("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("books.example", "http://books.example:80"),
    ],
)
def test_the_url_can_be_opened_by_a_local_browser(host: str, url: str) -> None:
    assert ports.url_of(host, 80) == url
