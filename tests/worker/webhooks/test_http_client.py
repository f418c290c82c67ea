"""Calls to real servers on loopback: what is sent, and what cannot be done with it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
import trustme

from jobs.webhook_urls import WebhookUrlRules
from tests.webhook_receiver import receiving, status
from worker.webhooks.http_client import Lookup, WebhookClient, look_up
from worker.webhooks.retry_policy import Answered, Failed, Refused

BODY = b'{"type":"job.completed"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}


def poster(
    *, allow_private: bool = True, timeout_s: float = 10.0, lookup: Lookup = look_up
) -> WebhookClient:
    rules = WebhookUrlRules(allow_http=True, allow_private=allow_private)
    return WebhookClient(timeout_s=timeout_s, rules=rules, lookup=lookup)


class Names:
    """A resolver that can be asked once: a second question would be the rebinding's chance."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        assert not self.asked, "looked up twice"
        self.asked.append(host)
        return self.addresses


def test_the_receiver_gets_body_path_and_headers() -> None:
    with receiving(status(204)) as receiver:
        assert poster().post(receiver.url, HEADERS, BODY) == Answered(status=204)
    (call,) = receiver.calls
    assert (call.path, call.body) == ("/hook?token=1", BODY)
    assert call.headers["webhook-id"] == "msg_1"
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_name_is_looked_up_once_and_called_at_the_address_that_was_checked() -> None:
    names = Names("127.0.0.1")
    with receiving(status(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        assert poster(lookup=names).post(url, HEADERS, BODY) == Answered(status=200)
    assert names.asked == ["receiver.example"]
    assert receiver.calls[0].headers["host"] == f"receiver.example:{receiver.port}"


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::1"], ["169.254.169.254"]]
)
def test_a_name_with_an_address_that_is_not_public_is_not_called(addresses: list[str]) -> None:
    with receiving(status(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        result = poster(allow_private=False, lookup=Names(*addresses)).post(url, HEADERS, BODY)
    assert isinstance(result, Refused)
    assert "public internet" in result.detail
    assert not any(address in result.detail for address in addresses)
    assert not receiver.calls


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_loopback_is_not_called_however_it_is_spelled(host: str) -> None:
    with receiving(status(200)) as receiver:
        result = poster(allow_private=False).post(f"http://{host}:{receiver.port}/", HEADERS, BODY)
    assert isinstance(result, Refused | Failed)
    assert not receiver.calls


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with receiving(status(200)) as receiver:
        url = f"http://receiver.example:{receiver.port}/"
        names = Names("127.0.0.2", "127.0.0.1")  # nothing listens on the first
        assert poster(lookup=names).post(url, HEADERS, BODY) == Answered(status=200)


def test_a_redirect_is_not_followed() -> None:
    with receiving(status(200)) as other:
        with receiving(status(302, Location=other.url)) as receiver:
            assert poster().post(receiver.url, HEADERS, BODY) == Answered(status=302)
        assert not other.calls


def test_retry_after_is_read() -> None:
    with receiving(status(503, Retry_After="17")) as receiver:
        result = poster().post(receiver.url, HEADERS, BODY)
    assert result == Answered(status=503, retry_after_s=17.0)


def test_nobody_listens() -> None:
    with receiving(status(200)) as receiver:
        pass
    result = poster().post(receiver.url, HEADERS, BODY)
    assert result == Failed(detail="The receiver refused the connection.")


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_receiver_that_never_answers_is_given_up() -> None:
    let_go = threading.Event()
    with receiving(lambda _: let_go.wait(60)) as receiver:  # type: ignore[arg-type]
        result = poster(timeout_s=0.3).post(receiver.url, HEADERS, BODY)
        let_go.set()
    assert isinstance(result, Failed)


def test_a_receiver_that_drips_its_answer_is_cut_off() -> None:
    cut_off = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        # Each piece comes well within any socket's own timeout, and there is no end to them.
        try:
            for _ in range(1200):
                handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                if cut_off.wait(0.05):
                    return
        except OSError:
            cut_off.set()

    with receiving(drip) as receiver:
        result = poster(timeout_s=0.5).post(receiver.url, HEADERS, BODY)
        assert cut_off.wait(60), "the connection was kept"
    assert result == Failed(detail="No answer came within 0.5 seconds.")


def test_what_ends_before_the_deadline_is_told_from_what_ends_after_it() -> None:
    clock = Clock()

    def answers_nothing(passes_s: float) -> Callable[[BaseHTTPRequestHandler], None]:
        def hang_up(_: BaseHTTPRequestHandler) -> None:
            clock.now += passes_s

        return hang_up

    sender = replace(poster(timeout_s=60), clock=clock)
    with receiving(answers_nothing(59)) as receiver:
        result = sender.post(receiver.url, HEADERS, BODY)
    assert result == Failed(detail="The receiver did not answer as a web server does.")
    with receiving(answers_nothing(60)) as receiver:
        result = sender.post(receiver.url, HEADERS, BODY)
    assert result == Failed(detail="No answer came within 60 seconds.")


def test_looking_the_name_up_is_part_of_the_time_that_a_call_has() -> None:
    clock = Clock()

    def slow(_host: str, _port: int) -> Sequence[str]:
        clock.now += 60
        return ["127.0.0.1"]

    let_go = threading.Event()
    with receiving(lambda _: let_go.wait(60)) as receiver:  # type: ignore[arg-type]
        sender = replace(poster(timeout_s=60, lookup=slow), clock=clock)
        result = sender.post(receiver.url, HEADERS, BODY)
        let_go.set()
    assert isinstance(result, Failed)


def test_an_endless_body_is_not_read() -> None:
    ended = threading.Event()

    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            ended.set()

    with receiving(pour) as receiver:
        assert poster().post(receiver.url, HEADERS, BODY) == Answered(status=200)
        assert ended.wait(20), "the connection was kept"


def test_an_answer_that_is_not_http_is_a_failure() -> None:
    def greet(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"220 smtp ready\r\n")

    with receiving(greet) as receiver:
        result = poster().post(receiver.url, HEADERS, BODY)
    assert result == Failed(detail="The receiver did not answer as a web server does.")


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


def test_over_tls_the_certificate_has_to_be_the_names(
    authority: trustme.CA, server_tls: ssl.SSLContext
) -> None:
    with receiving(status(200), server_tls) as receiver:
        right = f"https://receiver.example:{receiver.port}/"
        wrong = f"https://another.example:{receiver.port}/"
        sender = trusting(authority, lambda _host, _port: ["127.0.0.1"])
        assert sender.post(right, HEADERS, BODY) == Answered(status=200)
        result = sender.post(wrong, HEADERS, BODY)
    assert isinstance(result, Failed)
    assert "certificate is not valid" in result.detail
    assert len(receiver.calls) == 1


def test_a_certificate_of_an_unknown_authority_is_not_trusted(server_tls: ssl.SSLContext) -> None:
    with receiving(status(200), server_tls) as receiver:
        result = poster(lookup=lambda _host, _port: ["127.0.0.1"]).post(
            f"https://receiver.example:{receiver.port}/", HEADERS, BODY
        )
    assert isinstance(result, Failed)
    assert not receiver.calls


def test_http_is_not_called_where_it_is_not_allowed(authority: trustme.CA) -> None:
    with receiving(status(200)) as receiver:
        result = trusting(authority, look_up).post(receiver.url, HEADERS, BODY)
    assert isinstance(result, Refused)
    assert not receiver.calls
