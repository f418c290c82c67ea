"""The webhook client with real servers on loopback: requests, refused addresses and bounds."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from jobs.webhook_urls import WebhookUrlRules
from tests.webhook_receiver import respond_with, running_receiver
from worker.webhooks.http_client import Lookup, WebhookClient, look_up
from worker.webhooks.retry_policy import ForbiddenUrl, HttpResponse, NoResponse

BODY = b'{"type":"job.completed"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}


def client(
    *, allow_private: bool = True, timeout_s: float = 10.0, lookup: Lookup = look_up
) -> WebhookClient:
    rules = WebhookUrlRules(allow_http=True, allow_private=allow_private)
    return WebhookClient(timeout_s=timeout_s, rules=rules, lookup=lookup)


class Resolver:
    """Resolves one name once: a second lookup would permit DNS rebinding."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.hosts: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        assert not self.hosts, "looked up twice"
        self.hosts.append(host)
        return self.addresses


def test_the_receiver_gets_the_path_headers_and_body() -> None:
    with running_receiver(respond_with(204)) as receiver:
        assert client().post(receiver.url, HEADERS, BODY) == HttpResponse(status=204)
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/hook?token=1", BODY)
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_name_is_resolved_once_and_the_checked_address_is_called() -> None:
    resolver = Resolver("127.0.0.1")
    with running_receiver(respond_with(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        assert client(lookup=resolver).post(url, HEADERS, BODY) == HttpResponse(status=200)
    assert resolver.hosts == ["receiver.example"]
    assert receiver.requests[0].headers["host"] == f"receiver.example:{receiver.port}"


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
)
def test_a_name_with_a_private_address_is_not_called(addresses: list[str]) -> None:
    with running_receiver(respond_with(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        result = client(allow_private=False, lookup=Resolver(*addresses)).post(url, HEADERS, BODY)
    assert isinstance(result, ForbiddenUrl)
    assert "public internet" in result.detail
    assert not any(address in result.detail for address in addresses)
    assert not receiver.requests


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_loopback_is_not_called_in_any_notation(host: str) -> None:
    with running_receiver(respond_with(200)) as receiver:
        result = client(allow_private=False).post(f"http://{host}:{receiver.port}/", HEADERS, BODY)
    assert isinstance(result, ForbiddenUrl | NoResponse)
    assert not receiver.requests


def test_the_next_address_is_tried_if_the_first_refuses_the_connection() -> None:
    with running_receiver(respond_with(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        resolver = Resolver("127.0.0.2", "127.0.0.1")  # nothing listens on the first
        assert client(lookup=resolver).post(url, HEADERS, BODY) == HttpResponse(status=200)


def test_a_redirect_is_not_followed() -> None:
    with running_receiver(respond_with(200)) as other:
        with running_receiver(respond_with(302, Location=other.url)) as receiver:
            assert client().post(receiver.url, HEADERS, BODY) == HttpResponse(status=302)
        assert not other.requests


def test_retry_after_is_read() -> None:
    with running_receiver(respond_with(503, Retry_After="17")) as receiver:
        result = client().post(receiver.url, HEADERS, BODY)
    assert result == HttpResponse(status=503, retry_after_s=17.0)


def test_a_refused_connection_is_a_failure() -> None:
    with running_receiver(respond_with(200)) as receiver:
        pass
    result = client().post(receiver.url, HEADERS, BODY)
    assert result == NoResponse(detail="The receiver refused the connection.")


class Clock:
    """A clock that tests advance."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_receiver_that_does_not_respond_times_out() -> None:
    release = threading.Event()
    with running_receiver(lambda _: release.wait(60)) as receiver:  # type: ignore[arg-type]
        result = client(timeout_s=0.3).post(receiver.url, HEADERS, BODY)
        release.set()
    assert isinstance(result, NoResponse)


def test_a_response_that_trickles_is_cut_off_at_the_deadline() -> None:
    cut_off = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        # Each piece arrives within the timeout of the socket.
        try:
            for _ in range(1200):
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                if cut_off.wait(0.05):
                    return
        except OSError:
            cut_off.set()

    with running_receiver(trickle) as receiver:
        result = client(timeout_s=0.5).post(receiver.url, HEADERS, BODY)
        assert cut_off.wait(60), "the connection was not closed"
    assert result == NoResponse(detail="The receiver did not answer within 0.5 seconds.")


def test_a_closed_connection_is_a_timeout_only_after_the_deadline() -> None:
    clock = Clock()

    def hang_up_after(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
        def hang_up(_: BaseHTTPRequestHandler) -> None:
            clock.now += seconds

        return hang_up

    sender = replace(client(timeout_s=60), clock=clock)
    with running_receiver(hang_up_after(59)) as receiver:
        result = sender.post(receiver.url, HEADERS, BODY)
    assert result == NoResponse(detail="The receiver did not send a valid HTTP response.")
    with running_receiver(hang_up_after(60)) as receiver:
        result = sender.post(receiver.url, HEADERS, BODY)
    assert result == NoResponse(detail="The receiver did not answer within 60 seconds.")


def test_the_deadline_includes_the_name_resolution() -> None:
    clock = Clock()

    def slow(_host: str, _port: int) -> Sequence[str]:
        clock.now += 60
        return ["127.0.0.1"]

    release = threading.Event()
    with running_receiver(lambda _: release.wait(60)) as receiver:  # type: ignore[arg-type]
        sender = replace(client(timeout_s=60, lookup=slow), clock=clock)
        result = sender.post(receiver.url, HEADERS, BODY)
        release.set()
    assert isinstance(result, NoResponse)


def test_the_body_of_the_response_is_not_read() -> None:
    ended = threading.Event()

    def send_endlessly(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            ended.set()

    with running_receiver(send_endlessly) as receiver:
        assert client().post(receiver.url, HEADERS, BODY) == HttpResponse(status=200)
        assert ended.wait(20), "the connection was not closed"


def test_a_response_that_is_not_http_is_a_failure() -> None:
    def greet(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 smtp ready\r\n")

    with running_receiver(greet) as receiver:
        result = client().post(receiver.url, HEADERS, BODY)
    assert result == NoResponse(detail="The receiver did not send a valid HTTP response.")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("receiver.example").configure_cert(context)
    return context


def trusting(authority: trustme.CA, lookup: Lookup) -> WebhookClient:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    rules = WebhookUrlRules(allow_private=True)
    return WebhookClient(timeout_s=10, rules=rules, lookup=lookup, tls=context)


def test_the_certificate_must_be_valid_for_the_name(
    authority: trustme.CA, server_tls: ssl.SSLContext
) -> None:
    with running_receiver(respond_with(200), server_tls) as receiver:
        right = f"https://receiver.example:{receiver.port}/"
        wrong = f"https://another.example:{receiver.port}/"
        sender = trusting(authority, lambda _host, _port: ["127.0.0.1"])
        assert sender.post(right, HEADERS, BODY) == HttpResponse(status=200)
        result = sender.post(wrong, HEADERS, BODY)
    assert isinstance(result, NoResponse)
    assert "certificate is not valid" in result.detail
    assert len(receiver.requests) == 1


def test_a_certificate_of_an_unknown_authority_is_not_trusted(server_tls: ssl.SSLContext) -> None:
    with running_receiver(respond_with(200), server_tls) as receiver:
        result = client(lookup=lambda _host, _port: ["127.0.0.1"]).post(
            f"https://receiver.example:{receiver.port}/", HEADERS, BODY
        )
    assert isinstance(result, NoResponse)
    assert not receiver.requests


def test_http_is_refused_unless_allowed(authority: trustme.CA) -> None:
    with running_receiver(respond_with(200)) as receiver:
        result = trusting(authority, look_up).post(receiver.url, HEADERS, BODY)
    assert isinstance(result, ForbiddenUrl)
    assert not receiver.requests
