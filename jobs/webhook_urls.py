"""Rules for webhook URLs, and for the addresses that their host names resolve to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from jobs.errors import JobError

MAX_URL_CHARACTERS = 2048
_HOST_NAME = re.compile(r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?", re.ASCII)
# Ports of web servers, and ports that need no privileges: not mail, SSH or name servers.
_WEB_PORTS = frozenset({80, 443})
_FIRST_UNPRIVILEGED_PORT = 1024

# IANA's special-purpose address registries (iana-ipv4-special-registry and
# iana-ipv6-special-registry, as of 2026-11) and the multicast ranges. Copied, because `ipaddress`
# classifies addresses differently in patch versions of Python. A block is refused as a whole even
# if a few of its addresses are globally reachable (anycast of protocols).
_SPECIAL_IPV4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared address space, carriers' NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments, a cloud's metadata among them
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay anycast, deprecated
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, limited broadcast
    )
)
# Everything outside this block is special or not allocated: loopback, unique local, link local,
# site local, multicast, …
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID, …
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# Networks whose IPv6 addresses contain an IPv4 address, and how many bits follow it.
_EMBEDDED_IPV4 = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)


class WebhookUrlRefused(JobError):
    """The URL is not allowed; the message says why and what to use instead."""


@dataclass(frozen=True, kw_only=True)
class WebhookUrlRules:
    """What the operator allows in addition to https on the public internet."""

    allow_http: bool = False
    allow_private: bool = False

    def check_url(self, url: str) -> SplitResult:
        """The parts of the URL, if it is allowed. Does not resolve its host name.

        Raises `WebhookUrlRefused`.
        """
        if (
            len(url) > MAX_URL_CHARACTERS
            or not url.isascii()
            or not url.isprintable()
            or " " in url
        ):
            raise WebhookUrlRefused(
                f"it must be a URL of at most {MAX_URL_CHARACTERS} printable ASCII characters"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise WebhookUrlRefused(f"it cannot be read as a URL ({error})") from None
        if parts.scheme not in ({"https", "http"} if self.allow_http else {"https"}):
            raise WebhookUrlRefused("it must begin with https://")
        if not parts.hostname:
            raise WebhookUrlRefused("it must contain a host name")
        if port is not None and port not in _WEB_PORTS and port < _FIRST_UNPRIVILEGED_PORT:
            raise WebhookUrlRefused(
                f"its port must be 80, 443, or {_FIRST_UNPRIVILEGED_PORT} and above"
            )
        if parts.username is not None or parts.password is not None:
            raise WebhookUrlRefused(
                "it must not contain a user name or password; requests are signed instead"
            )
        if parts.fragment:
            raise WebhookUrlRefused("it must not have a fragment (#…), which is never sent")
        try:
            literal = ipaddress.ip_address(parts.hostname)
        except ValueError:
            # A host name; the sender resolves it and calls `check_address`.
            if len(parts.hostname) > 253 or not _HOST_NAME.fullmatch(parts.hostname):
                raise WebhookUrlRefused(f"{parts.hostname[:64]!r} is not a host name") from None
        else:
            self.check_address(str(literal))
        return parts

    def check_address(self, address: str) -> None:
        """Raise `WebhookUrlRefused` unless the address is public or private ones are allowed."""
        if not self.allow_private and not is_public(address):
            # The message omits the address: it would disclose the operator's internal names.
            raise WebhookUrlRefused(
                "it resolves to an address that is not on the public internet; "
                "the operator can allow it with SPINELABEL_WEBHOOK_ALLOW_PRIVATE=true"
            )


def is_public(address: str) -> bool:
    """Whether the address is public, in any notation or tunnel."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in block for block in _SPECIAL_IPV4)
    for block, bits_after in _EMBEDDED_IPV4:
        if ip in block:
            return is_public(str(ipaddress.IPv4Address(int(ip) >> bits_after & 0xFFFF_FFFF)))
    return ip in _IPV6_UNICAST and not any(ip in block for block in _SPECIAL_IPV6)
