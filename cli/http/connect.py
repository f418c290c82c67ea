"""Chooses the server of a command: the one that is named, a running stack, or a temporary stack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ServerUnreachable
from ..local_stack.checkout import require_checkout
from ..local_stack.data.data_folder import DataFolder
from ..local_stack.settings import LocalStackSettings

if TYPE_CHECKING:
    from ..client import Client
    from ..commands.display import Display

_POLL_INTERVAL_S = 0.05
_READY_TIMEOUT_S = 120.0
_DEFAULT_PATIENCE_S = 3.0  # a person waits


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that accepts jobs."""

    url: str
    temporary: bool = False  # ends with this command
    check: Callable[[], None] = lambda: None  # raises `StackFailed` once the server cannot recover


@contextmanager
def client_for(
    server: str | None, api_key: str | None, data_dir: Path, patience_s: float = _DEFAULT_PATIENCE_S
) -> Iterator[Client]:
    """A client of the named or running server. Raises `ServerUnreachable` if there is none."""
    from ..client import Client  # here: httpx takes long to import, and the help needs none

    url = server or _running_url(data_dir)
    with Client(url, api_key=api_key, patience_s=patience_s) as client:
        yield client


@contextmanager
def server_for_command(
    server: str | None, settings: LocalStackSettings, display: Display
) -> Iterator[Server]:
    """The named or running server; otherwise a local stack that runs as long as the block.

    Raises `CheckoutRequired` where a stack would have to be started without a source checkout.
    """
    if server:
        yield Server(url=server)
        return
    folder = DataFolder(settings.data_dir)
    if folder.running() is None:
        require_checkout("A command without --server")
    folder.prepare()
    while True:
        with folder.shared() as state:
            if state is not None and _wait_until_ready(folder, state.url):
                display.note(f"Using the stack that runs at {state.url}.")
                yield Server(url=state.url)
                return
        from ..local_stack.temporary_stack import temporary_stack

        with temporary_stack(settings, display) as stack:
            if stack is None:  # another command has started one; use that
                continue
            try:
                yield Server(url=stack.url, temporary=True, check=stack.check)
            finally:
                folder.withdraw(display.warn)
            return


def _running_url(data_dir: Path) -> str:
    if state := DataFolder(data_dir).running():
        return state.url
    raise ServerUnreachable(
        f"No stack runs on {data_dir}. Start one with `spinelabel up`, or name a server with "
        "--server."
    )


def _wait_until_ready(folder: DataFolder, url: str) -> bool:
    """Wait for a stack that may just have been started. False: it has ended instead."""
    from ..client import Client

    with Client(url, patience_s=0) as client:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while reason := client.not_ready_reason():
            if folder.running() is None:
                return False
            if time.monotonic() > deadline:
                raise ServerUnreachable(f"The stack at {url} is not ready: {reason}.")
            time.sleep(_POLL_INTERVAL_S)
        return True
