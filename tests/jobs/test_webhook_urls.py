"""Which webhook URLs and addresses are permitted."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.webhook_urls import WebhookUrlRefused, WebhookUrlRules, is_public


def check(url: str, **allowed: bool) -> None:
    WebhookUrlRules(**allowed).check_url(url)


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
def test_a_public_https_url_is_permitted(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/", "https://"),
        ("ftp://example.org/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("example.org/hook", "https://"),
        ("https:///hook", "contain a host name"),
        ("https://user:secret@example.org/", "user name"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org:99999/", "read as a URL"),
        ("https://[::1/", "read as a URL"),
        ("https://exa mple.org/", "printable"),
        ("https://example.org/\r\nHost: other", "printable"),
        ("https://exämple.org/", "printable"),
        ("https://a..b/", "not a host name"),
        ("https://.example.org/", "not a host name"),
        ("https://ex%61mple.org/", "not a host name"),
        ("https://" + "a" * 2048, "at most"),
        ("https://127.0.0.1/", "public internet"),
        ("https://[::1]/", "public internet"),
    ],
)
def test_a_forbidden_url_is_refused_with_a_reason(url: str, reason: str) -> None:
    with pytest.raises(WebhookUrlRefused, match=reason):
        check(url)


def test_http_and_private_addresses_can_be_allowed() -> None:
    check("http://example.org/", allow_http=True)
    check("http://127.0.0.1:9000/", allow_http=True, allow_private=True)


@pytest.mark.parametrize("port", ["80", "443", "1024", "8443", "65535", ""])
def test_ports_of_web_servers_are_permitted(port: str) -> None:
    check(f"https://example.org:{port}/")


@pytest.mark.parametrize("port", ["0", "1", "22", "25", "53", "79", "465", "587", "993", "1023"])
def test_ports_of_other_services_are_always_refused(port: str) -> None:
    for allowed in (False, True):
        with pytest.raises(WebhookUrlRefused, match="its port"):
            check(f"https://example.org:{port}/", allow_private=allowed)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.0.0.0",
        "93.184.215.14",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.169.0.0",
        "223.255.255.255",
        "2001:200::",
        "2001:4860:4860::8888",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "2a00::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ],
)
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


# Entries of the IANA registries by first and last address, independent of the code.
SPECIAL = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    ("::", "::fffe:ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]


@pytest.mark.parametrize(("first", "last"), SPECIAL)
def test_special_purpose_blocks_are_not_public(first: str, last: str) -> None:
    beginning, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
    step = (int(end) - int(beginning)) // 16
    for number in (*range(int(beginning), int(end), max(step, 1)), int(end)):
        ip = type(beginning)(number)
        assert not is_public(str(ip)), ip
        if isinstance(ip, ipaddress.IPv4Address):
            for wrapped in (
                f"::ffff:{ip}",
                f"64:ff9b::{ip}",
                f"2002:{number >> 16:x}:{number & 0xFFFF:x}::1",
            ):
                assert not is_public(wrapped), wrapped


@given(st.ip_addresses())
def test_no_address_is_public_that_python_considers_private(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    # Some versions of Python do not check the address inside a mapped one.
    assume(not isinstance(ip, ipaddress.IPv6Address) or ip.ipv4_mapped is None)
    if is_public(str(ip)):
        assert not ip.is_private
        assert not ip.is_multicast


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
        "192.0.0.192",  # another cloud's metadata
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "::127.0.0.1",
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
def test_other_addresses_are_not_public_in_any_notation(address: str) -> None:
    assert not is_public(address)
