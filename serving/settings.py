"""The settings of the model server, read once per process."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.log_setup import LogFormat

_PREFIX = "SPINELABEL_"


class ServingSettings(BaseSettings):
    """`SPINELABEL_*` variables of the model server."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    log_format: LogFormat = Field(
        default="auto",
        description="Format of log lines: json, console, or auto (console if stderr is a "
        "terminal).",
    )
    model_root: Path = Field(
        default=Path("serving/models"),
        description="Folder that contains NAME/VERSION/saved_model.pb.",
    )
    model_name: str = Field(
        default="genre", pattern=r"^[\w.-]+$", description="Folder below model_root."
    )
    serving_address: str = Field(
        default="127.0.0.1:8500",
        pattern=r"^(unix:.+|.+:\d+)$",
        description="Address to listen on: HOST:PORT, or unix:PATH for this user only.",
    )
    serving_versions: PositiveInt = Field(
        default=2, description="Number of versions that are served: the newest that load."
    )
    serving_poll_s: PositiveFloat = Field(
        default=1.0, description="Interval at which the model folder is polled, in seconds."
    )
    serving_retry_s: PositiveFloat = Field(
        default=60.0,
        description="Seconds until loading a version that failed to load is retried.",
    )
    serving_threads: NonNegativeInt = Field(
        default=0,
        description="Maximum of concurrent predictions; 0: the number of CPUs, at least 2.",
    )
    serving_queue: PositiveInt = Field(
        default=64,
        description="Maximum of queued predictions; more are rejected with RESOURCE_EXHAUSTED.",
    )
    serving_intra_op_threads: NonNegativeInt = Field(
        default=0,
        description="TensorFlow threads within one operation; 0: TensorFlow chooses.",
    )
    serving_inter_op_threads: NonNegativeInt = Field(
        default=0, description="TensorFlow threads across operations; 0: TensorFlow chooses."
    )
    serving_grace_s: PositiveFloat = Field(
        default=5.0,
        description="Seconds that running predictions may take after SIGTERM.",
    )

    @property
    def model_folder(self) -> Path:
        """The folder that contains the version folders."""
        return self.model_root / self.model_name

    @property
    def executions(self) -> int:
        """Maximum of concurrent predictions; at least 2, so that one decodes while one computes."""
        return self.serving_threads or max(2, os.cpu_count() or 1)


class SettingsError(Exception):
    """A setting is invalid; the message names its variable."""


def read_settings() -> ServingSettings:
    """Read the settings from the environment.

    Raises:
        SettingsError: a value is invalid.
    """
    try:
        return ServingSettings()
    except ValidationError as error:
        messages = (
            f"{_PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']} (got "
            f"{problem['input']!r})"
            for problem in error.errors(include_url=False)
        )
        raise SettingsError("; ".join(messages)) from error
