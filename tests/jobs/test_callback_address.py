"""Which URLs and which addresses may be called back."""

from __future__ import annotations

import pytest

from jobs.callback_address import CallbackRefused, CallbackRules, is_public


def check(url: str, **allowed: bool) -> None:
    CallbackRules(**allowed).check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://hooks.example.org:8443/a/b?c=d",
        "https://93.184.215.14/x",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x",
        "HTTPS://EXAMPLE.ORG/",
    ],
)
def test_a_public_https_address_may_be_called(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/", "https://"),
        ("ftp://example.org/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("example.org/hook", "https://"),
        ("https:///hook", "name a server"),
        ("https://user:secret@example.org/", "user name"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org:99999/", "read as a URL"),
        ("https://[::1/", "read as a URL"),
        ("https://exa mple.org/", "printable"),
        ("https://example.org/\r\nHost: other", "printable"),
        ("https://exämple.org/", "printable"),
        ("https://a..b/", "no name of a server"),
        ("https://.example.org/", "no name of a server"),
        ("https://ex%61mple.org/", "no name of a server"),
        ("https://" + "a" * 2048, "at most"),
        ("https://127.0.0.1/", "public internet"),
        ("https://[::1]/", "public internet"),
    ],
)
def test_a_url_that_must_not_be_called_is_refused_with_a_reason(url: str, why: str) -> None:
    with pytest.raises(CallbackRefused, match=why):
        check(url)


def test_the_operator_may_allow_http_and_private_addresses() -> None:
    check("http://example.org/", allow_http=True)
    check("http://127.0.0.1:9000/", allow_http=True, allow_private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "10.1.2.3",
        "172.17.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carriers' NAT
        "169.254.169.254",  # cloud metadata
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
    ],
)
def test_everything_else_is_not_in_whatever_notation(address: str) -> None:
    assert not is_public(address)
