"""Brings a labelled catalogue from the server to where it belongs."""

from __future__ import annotations

from pathlib import Path

from cli.batch.streams import Streams
from cli.client import ApiClient, OnBytes
from cli.errors import BadInput


def fetch(
    client: ApiClient, job_id: str, target: Path, streams: Streams, on_bytes: OnBytes
) -> None:
    """Download the job's result into the target, which may be standard output.

    Raises `BadInput` if it cannot be written, `BrokenPipeError` if nobody listens, and what `ApiClient.download` raises.
    """
    try:
        client.download(job_id, streams.writable(target), on_bytes)
        streams.written(target)
    except BrokenPipeError:  # whoever reads has heard enough, which is their right
        raise
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror}.") from error
