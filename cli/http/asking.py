"""A client for commands that ask a server which has to be there already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.client import ApiClient

_PATIENCE_S = 3.0  # a person waits


@contextmanager
def client_for(
    server: str | None, api_key: str | None, data_dir: Path, patience_s: float = _PATIENCE_S
) -> Iterator[ApiClient]:
    """A client of the server that is named or runs. Raises `ServerUnreachable` if none does."""
    from cli.client import ApiClient
    from cli.http.connect import running_server

    url = running_server(server, data_dir)
    with ApiClient(url, api_key=api_key, patience_s=patience_s) as client:
        yield client
