"""Which addresses may be called back: the rules for a URL as it is given, and for what its name turns out to be."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from jobs.errors import JobError

_LONGEST_URL = 2048
_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?", re.ASCII)
# IPv6 addresses that lead to the IPv4 address in their last 32 bits.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class CallbackRefused(JobError):
    """This URL must not be called; the message says why and what to give instead."""


def check_callback_url(url: str, *, allow_http: bool, allow_private: bool) -> SplitResult:
    """The URL in its parts, if it may be called as far as that can be seen without looking its name up.

    Raises `CallbackRefused`.
    """
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise CallbackRefused(
            f"it has to be a URL of at most {_LONGEST_URL} printable ASCII characters"
        )
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise CallbackRefused(f"it cannot be read as a URL ({error})") from None
    if parts.scheme not in ({"https", "http"} if allow_http else {"https"}):
        raise CallbackRefused("it has to begin with https://")
    if not parts.hostname:
        raise CallbackRefused("it has to name a server")
    if parts.username is not None or parts.password is not None:
        raise CallbackRefused(
            "it must hold no user name or password; the signature shows who is calling"
        )
    if parts.fragment:
        raise CallbackRefused("it must have no fragment (#…); servers never see one")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        # A name; whoever calls looks it up and asks `check_address`.
        if len(parts.hostname) > 253 or not _NAME.fullmatch(parts.hostname):
            raise CallbackRefused(f"{parts.hostname[:64]!r} is no name of a server") from None
    else:
        check_address(str(literal), allow_private=allow_private)
    return parts


def check_address(address: str, *, allow_private: bool) -> None:
    """Raises `CallbackRefused` for an address that is not on the public internet, unless that is allowed."""
    if not allow_private and not is_public(address):
        raise CallbackRefused(
            f"{address} is no address of the public internet; "
            "the operator can allow others with SPINELABEL_CALLBACK_PRIVATE=true"
        )


def is_public(address: str) -> bool:
    """Whether the address is one of the public internet, whatever notation or tunnel it is wrapped in."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
