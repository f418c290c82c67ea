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
    """`SPINELABEL_*`: where the API listens, and its limits."""

    api_host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="Address or host name to listen on; :: for all addresses.",
    )
    api_public_address: str | None = Field(
        None,
        description="In a container: the ADDRESS:PORT at which the host publishes the API.",
    )
    trusted_proxies: NonNegativeInt = Field(
        0, description="Number of reverse proxies in front whose X-Forwarded-* headers are trusted."
    )
    # Validated after the fields above, which decide whether keys are required.
    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        validate_default=True,
        description="Whether requests need an API key; auto: required unless only this machine can "
        "connect.",
    )
    max_open_jobs: PositiveInt = Field(
        20,
        description="Maximum unfinished jobs per owner, unless the API key sets its own limit.",
    )
    requests_per_minute: PositiveInt = Field(
        600, description="Rate limit per API key, unless the key sets its own."
    )
    api_port: int = Field(
        8000, ge=0, le=65535, description="Port to listen on; 0 chooses a free one."
    )
    api_threads: int = Field(
        32, ge=1, le=512, description="Requests served concurrently; an upload occupies one thread."
    )
    api_max_long_polls: int = Field(
        8,
        ge=1,
        le=256,
        description="Maximum concurrent event streams and long polls (Prefer: wait); "
        "never more than half of the threads.",
    )
    api_max_transfers: int = Field(
        16,
        ge=1,
        le=256,
        description="Maximum concurrent uploads and downloads of more than 16 KiB; "
        "never more than half of the threads.",
    )
    api_max_transfers_per_owner: int = Field(
        8,
        ge=1,
        le=256,
        description="Maximum concurrent uploads and downloads per owner.",
    )
    api_header_timeout_s: PositiveFloat = Field(
        10.0, description="Timeout for the request line and the headers, in seconds."
    )
    api_body_timeout_s: PositiveFloat = Field(
        30.0, description="Timeout for a body of up to 64 KiB, in seconds after its headers."
    )
    api_idle_timeout_s: PositiveFloat = Field(
        60.0,
        description="Idle timeout of larger uploads and of downloads, in seconds.",
    )
    api_min_bytes_per_s: PositiveInt = Field(
        1024,
        description="Minimum average rate of larger uploads and of downloads, measured over "
        "SPINELABEL_API_IDLE_TIMEOUT_S of waiting for the client; slower ones are cut off.",
    )
    api_shutdown_timeout_s: PositiveInt = Field(
        5, description="Grace period for running requests after SIGTERM, in seconds."
    )
    label_timeout_s: PositiveFloat = Field(
        15.0, description="How long /v1/label waits for a worker, in seconds."
    )
    max_upload_bytes: PositiveInt = Field(
        2 * 1024**3, description="Maximum size of an uploaded file, in bytes."
    )

    @property
    def keys_required(self) -> bool:
        """Whether every request needs an API key."""
        return self.auth == "required" or (
            self.auth == "auto"
            and _reachable_address(self.api_host, self.api_public_address, self.trusted_proxies)
            is not None
        )

    @field_validator("auth")
    @classmethod
    def _check_auth_off_is_local_only(cls, auth: str, info: ValidationInfo) -> str:
        values = info.data
        reachable = _reachable_address(
            values.get("api_host", ""),
            values.get("api_public_address"),
            values.get("trusted_proxies", 0),
        )
        if auth == "off" and reachable is not None:
            raise ValueError(
                f"other machines can connect to {reachable}, so keys cannot be off; "
                "use auto or required, or listen on 127.0.0.1"
            )
        return auth

    @field_validator("redis_url")
    @classmethod
    def _check_redis_port(cls, url: str) -> str:
        _ = urlsplit(url).port
        return url

    @field_validator("storage_url")
    @classmethod
    def _check_file_system_is_installed(cls, url: str) -> str:
        # Checked here and not in the server's child process, so that start-up fails with one line.
        protocol = cast(str | None, split_protocol(url)[0])
        try:
            get_filesystem_class(protocol or "file")
        except ImportError as error:
            raise ValueError(str(error)) from error
        return url


def _reachable_address(host: str, public_address: str | None, proxies: int) -> str | None:
    """The address at which other machines can connect; None if they cannot."""
    if proxies:
        return "the reverse proxy"
    # HOST:PORT as in Compose; a port alone means all addresses.
    bind_host = host if public_address is None else public_address.rpartition(":")[0]
    return None if _is_loopback(bind_host) else public_address or host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
