"""The settings that API and workers share."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import Field, PositiveInt, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs.logs.setup import LogFormat
from jobs.webhook_urls import WebhookUrlRules


class JobSettings(BaseSettings):
    """Read once per process from `SPINELABEL_*`, at its composition root."""

    model_config = SettingsConfigDict(env_prefix="SPINELABEL_", frozen=True, extra="ignore")

    redis_password_file: Path | None = Field(
        None, description="File that holds the password of Redis and nothing else."
    )
    # Validated after the file, whose password becomes part of the URL.
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern=r"^(rediss?|unix)://",
        validate_default=True,
        description="Redis for job records and messages: redis://, rediss:// or unix://PATH.",
    )
    storage_url: str = Field(
        "var/storage",
        min_length=1,
        description="Folder or fsspec URL (s3://bucket/prefix) for inputs and results.",
    )

    log_format: LogFormat = Field(
        "auto",
        description="Format of log lines: json, console, or auto "
        "(console if stderr is a terminal).",
    )

    max_unpacked_bytes: PositiveInt = Field(
        8 * 1024**3, description="Largest file after unpacking (.gz, .zip, .xlsx), in bytes."
    )
    webhook_allow_http: bool = Field(
        False, description="Whether webhook URLs may use http, without TLS."
    )
    webhook_allow_private: bool = Field(
        False,
        description="Whether webhook URLs may point to this machine or private networks.",
    )

    @property
    def webhook_url_rules(self) -> WebhookUrlRules:
        """Which webhook URLs are accepted and called."""
        return WebhookUrlRules(
            allow_http=self.webhook_allow_http, allow_private=self.webhook_allow_private
        )

    @property
    def broker_url(self) -> str:
        """The same Redis in Celery's spelling (`redis+socket` for a Unix socket)."""
        if self.redis_url.startswith("unix://"):
            return "redis+socket://" + self.redis_url.removeprefix("unix://")
        return self.redis_url

    @field_validator("redis_password_file")
    @classmethod
    def _check_password_file(cls, path: Path | None) -> Path | None:
        if path is not None:
            _read_password(path)
        return path

    @field_validator("redis_url")
    @classmethod
    def _add_password(cls, url: str, info: ValidationInfo) -> str:
        path: Path | None = info.data.get("redis_password_file")
        if path is None:
            return url
        parts = urlsplit(url)
        if parts.scheme == "unix":
            raise ValueError("with SPINELABEL_REDIS_PASSWORD_FILE it must be redis:// or rediss://")
        if parts.password is not None:
            raise ValueError(
                "it contains a password, and so does SPINELABEL_REDIS_PASSWORD_FILE; "
                "keep one of them"
            )
        user = parts.username or ""
        host = parts.netloc.rpartition("@")[2]
        password = quote(_read_password(path), safe="")
        return parts._replace(netloc=f"{user}:{password}@{host}").geturl()


def _read_password(path: Path) -> str:
    """The only line of the file. Raises `ValueError` with a message that says what to do."""
    try:
        password = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        raise ValueError("there is no such file; write the password of Redis to it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file cannot be read as text ({error})") from error
    if not password or password != "".join(password.split()):
        raise ValueError("the file must contain only the password, as one word on one line")
    return password
