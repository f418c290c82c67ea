"""The API's settings, read once per process at its composition root."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

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
    api_stall_s: PositiveFloat = Field(
        60.0, description="A client that neither sends nor takes anything for so long is cut off."
    )
    api_stop_s: PositiveInt = Field(
        5, description="On SIGTERM, how long requests under way may still take."
    )
    max_upload_bytes: PositiveInt = Field(2 * 1024**3, description="Largest file, in bytes.")
