"""The model server's settings, read once per process at its composition root."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from serving.log_setup import LogFormat

_PREFIX = "SPINELABEL_"


class ServingSettings(BaseSettings):
    """`SPINELABEL_*`: which model is served, where, and with how many threads."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore")

    log_format: LogFormat = Field(
        default="auto",
        description="Format of log lines: json, console, or auto (console if stderr is a terminal).",
    )
    model_root: Path = Field(
        default=Path("serving/models"), description="Folder that holds NAME/VERSION/saved_model.pb."
    )
    model_name: str = Field(
        default="genre", pattern=r"^[\w.-]+$", description="Folder below model_root."
    )
    serving_address: str = Field(
        default="127.0.0.1:8500",
        pattern=r"^(unix:.+|.+:\d+)$",
        description="Address to listen on, HOST:PORT, or unix:PATH for this user alone.",
    )
    serving_versions: PositiveInt = Field(
        default=2, description="How many versions serve at a time, the newest ones that load."
    )
    serving_poll_s: PositiveFloat = Field(
        default=1.0, description="Seconds between two looks at the model folder."
    )
    serving_retry_s: PositiveFloat = Field(
        default=60.0,
        description="Seconds after which a version that could not be loaded is tried again.",
    )
    serving_threads: NonNegativeInt = Field(
        default=0, description="Predictions that run at a time; 0: one for each CPU, at least two."
    )
    serving_queue: PositiveInt = Field(
        default=64,
        description="Predictions that may wait for their turn; one more is told to come later.",
    )
    serving_intra_op_threads: NonNegativeInt = Field(
        default=0,
        description="Threads that share one operation of a prediction; 0: TensorFlow's choice.",
    )
    serving_inter_op_threads: NonNegativeInt = Field(
        default=0, description="Threads that run operations side by side; 0: TensorFlow's choice."
    )
    serving_grace_s: PositiveFloat = Field(
        default=5.0,
        description="Seconds that predictions under way may still take when told to stop.",
    )

    @property
    def model_folder(self) -> Path:
        """The folder whose numbered subfolders are the versions."""
        return self.model_root / self.model_name

    @property
    def executions(self) -> int:
        """Predictions that run at a time. Two even on one CPU: one decodes while the other computes."""
        return self.serving_threads or max(2, os.cpu_count() or 1)


class SettingsError(Exception):
    """A setting is wrong; the message names its variable."""


def read_settings() -> ServingSettings:
    """The settings of this process, from its environment.

    Raises:
        SettingsError: a value cannot be used.
    """
    try:
        return ServingSettings()
    except ValidationError as error:
        said = (
            f"{_PREFIX}{str(wrong['loc'][0]).upper()}: {wrong['msg']} (it is {wrong['input']!r})"
            for wrong in error.errors(include_url=False)
        )
        raise SettingsError("; ".join(said)) from error
