"""The API's settings, read once per process at its composition root."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from fsspec import get_filesystem_class
from fsspec.core import split_protocol
from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from jobs.settings import JobSettings


class ApiSettings(JobSettings):
    """`SPINELABEL_*`: where the API listens and how much it accepts."""

    api_host: str = Field(
        "127.0.0.1", min_length=1, description="Address or name to listen on; :: for every one."
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
    api_stall_s: PositiveFloat = Field(
        60.0, description="A client that neither sends nor takes anything for so long is cut off."
    )
    api_stop_s: PositiveInt = Field(
        5, description="On SIGTERM, how long requests under way may still take."
    )
    max_upload_bytes: PositiveInt = Field(2 * 1024**3, description="Largest file, in bytes.")

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
