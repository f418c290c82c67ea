"""The settings that every process which touches a job shares."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class JobSettings(BaseSettings):
    """Read once per process from `SPINELABEL_*`, at its composition root."""

    model_config = SettingsConfigDict(env_prefix="SPINELABEL_", frozen=True, extra="ignore")

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern=r"^(rediss?|unix)://",
        description="Redis for job records and messages: redis://, rediss:// or unix://PATH.",
    )
    storage_url: str = Field(
        "var/storage",
        min_length=1,
        description="Folder or fsspec URL (s3://bucket/prefix) for inputs and results.",
    )

    @property
    def broker_url(self) -> str:
        """The same Redis in Celery's spelling (`redis+socket` for a Unix socket)."""
        if self.redis_url.startswith("unix://"):
            return "redis+socket://" + self.redis_url.removeprefix("unix://")
        return self.redis_url
