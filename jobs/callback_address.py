"""Which addresses may be called back: the rules for a URL as it is given, and for what its name turns out to be."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from jobs.errors import JobError

LONGEST_URL = 2048
_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?", re.ASCII)
# IPv6 addresses that lead to the IPv4 address in their last 32 bits.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class CallbackRefused(JobError):
    """This URL must not be called; the message says why and what to give instead."""


@dataclass(frozen=True, kw_only=True)
class CallbackRules:
    """What the operator allows beside https to the public internet."""

    allow_http: bool = False
    allow_private: bool = False

    def check_url(self, url: str) -> SplitResult:
        """The URL in its parts, if it may be called as far as that can be seen without looking its name up.

        Raises `CallbackRefused`.
        """
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise CallbackRefused(
                f"it has to be a URL of at most {LONGEST_URL} printable ASCII characters"
            )
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise CallbackRefused(f"it cannot be read as a URL ({error})") from None
        if parts.scheme not in ({"https", "http"} if self.allow_http else {"https"}):
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
            self.check_address(str(literal))
        return parts

    def check_address(self, address: str) -> None:
        """Raises `CallbackRefused` for an address that is not on the public internet, unless that is allowed."""
        if not self.allow_private and not is_public(address):
            # Not which one: that would tell what names mean in the operator's network.
            raise CallbackRefused(
                "it leads to an address that is not on the public internet; "
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
