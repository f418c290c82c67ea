"""The API's settings, read once per process at its composition root."""

from __future__ import annotations

import ipaddress
from typing import Literal, cast
from urllib.parse import urlsplit

from fsspec import get_filesystem_class
from fsspec.core import split_protocol
from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from jobs.settings import JobSettings


class ApiSettings(JobSettings):
    """`SPINELABEL_*`: where the API listens and how much it accepts."""

    api_host: str = Field(
        "127.0.0.1", min_length=1, description="Address or name to listen on; :: for every one."
    )
    api_published: str | None = Field(
        None,
        description="In a container: the address and port under which the host publishes the API.",
    )
    trusted_proxies: NonNegativeInt = Field(
        0, description="Reverse proxies in front, whose X-Forwarded-* headers are believed."
    )
    # After these in order of validation, which say whether keys can be done without.
    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        validate_default=True,
        description="Whether requests need an API key; auto: unless only this machine can connect.",
    )
    max_open_jobs: PositiveInt = Field(
        20,
        description="Jobs that one key's owner may have under way, unless the key says otherwise.",
    )
    requests_per_minute: PositiveInt = Field(
        600, description="Requests that one key may send, unless it says otherwise."
    )
    api_port: int = Field(
        8000, ge=0, le=65535, description="Port to listen on; 0 for any free one."
    )
    api_threads: int = Field(
        32, ge=1, le=512, description="Requests served at a time; an upload holds one thread."
    )
    api_waiting: int = Field(
        8,
        ge=1,
        le=256,
        description="Requests that may wait for a job at a time (events, Prefer: wait); "
        "never more than half of the threads.",
    )
    api_transfers: int = Field(
        16,
        ge=1,
        le=256,
        description="Uploads, and downloads of more than 16 KiB, under way at a time; "
        "never more than half of the threads.",
    )
    api_owner_transfers: int = Field(
        8,
        ge=1,
        le=256,
        description="Uploads and downloads that one key's owner may have under way at a time.",
    )
    api_head_s: PositiveFloat = Field(
        10.0, description="How long the head of a request may take to arrive."
    )
    api_body_s: PositiveFloat = Field(
        30.0, description="How long a body of up to 64 KiB may take to arrive after its head."
    )
    api_stall_s: PositiveFloat = Field(
        60.0,
        description="A client that sends or takes nothing of a larger body for so long is cut off.",
    )
    api_min_bytes_per_s: PositiveInt = Field(
        1024,
        description="A client that sends or takes a larger body more slowly than this, on average over "
        "SPINELABEL_API_STALL_S of being waited for, is cut off.",
    )
    api_stop_s: PositiveInt = Field(
        5, description="On SIGTERM, how long requests under way may still take."
    )
    label_deadline_s: PositiveFloat = Field(
        15.0, description="How long /v1/label waits for a worker's answer."
    )
    max_upload_bytes: PositiveInt = Field(2 * 1024**3, description="Largest file, in bytes.")

    @property
    def keys_required(self) -> bool:
        """Whether every request needs an API key."""
        return self.auth == "required" or (
            self.auth == "auto"
            and _open_to(self.api_host, self.api_published, self.trusted_proxies) is not None
        )

    @field_validator("auth")
    @classmethod
    def _is_not_off_for_others(cls, auth: str, info: ValidationInfo) -> str:
        given = info.data
        others = _open_to(
            given.get("api_host", ""), given.get("api_published"), given.get("trusted_proxies", 0)
        )
        if auth == "off" and others is not None:
            raise ValueError(
                f"other machines can connect to {others}, so keys cannot be off; "
                "use auto or required, or listen on 127.0.0.1"
            )
        return auth

    @field_validator("redis_url")
    @classmethod
    def _has_a_port_that_is_a_number(cls, url: str) -> str:
        _ = urlsplit(url).port
        return url

    @field_validator("storage_url")
    @classmethod
    def _names_a_file_system_that_is_installed(cls, url: str) -> str:
        # Looked up here rather than in the server's child process, so that the start stops in one line.
        protocol = cast(str | None, split_protocol(url)[0])
        try:
            get_filesystem_class(protocol or "file")
        except ImportError as error:
            raise ValueError(str(error)) from error
        return url


def _open_to(host: str, published: str | None, proxies: int) -> str | None:
    """What machines but this one can connect to; None if they cannot."""
    if proxies:
        return "the reverse proxy"
    # HOST:PORT as Compose has it; a port alone means every address.
    where = host if published is None else published.rpartition(":")[0]
    return None if _is_loopback(where) else published or host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
