"""Which server a command talks to: the one that is named, the one that runs, or one of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cli.client import ApiClient
from cli.commands.display import Display
from cli.errors import ServerUnreachable
from cli.local_stack.data_folder import DataFolder
from cli.local_stack.events import Action, StackEvent, render
from cli.local_stack.stack import LocalStack, LocalStackSettings, claimed_local_stack
from cli.local_stack.supervisor import StopRequest

_LOOK_EVERY_S = 0.05
_READY_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that takes work."""

    url: str
    temporary: bool = False  # ends with this command
    check: Callable[[], None] = lambda: None  # raises `StackFailed` once there is no hope for it


def running_server(server: str | None, data_dir: Path) -> str:
    """The URL of the server that is named or runs. Raises `ServerUnreachable` if there is none."""
    if server:
        return server
    if state := DataFolder(data_dir).running():
        return state.url
    raise ServerUnreachable(
        f"No stack runs on {data_dir}. Start one with `spinelabel up`, or name a server with --server."
    )


@contextmanager
def server_for_command(
    server: str | None, laptop: LocalStackSettings, display: Display
) -> Iterator[Server]:
    """The same, but without a running server a laptop stack is started for the length of the block."""
    if server:
        yield Server(url=server)
        return
    folder = DataFolder(laptop.data_dir)
    folder.prepare()
    while True:
        with folder.used() as state:
            if state is not None and _gets_ready(folder, state.url):
                display.note(f"Using the stack that runs at {state.url}.")
                yield Server(url=state.url)
                return
        with claimed_local_stack(
            laptop,
            temporary=True,
            report=lambda happening: _tell(happening, display),
            note=display.note,
        ) as stack:
            if stack is None:  # another command was quicker; use its stack
                continue
            display.note(
                f"No server runs: starting the laptop stack on {laptop.data_dir} for this command."
            )
            display.busy("starting the laptop stack")
            with _Background(stack) as background:
                try:
                    yield Server(url=stack.url, temporary=True, check=background.check)
                finally:
                    folder.withdraw(display.warn)
            return


class _Background:
    """Runs a stack on a thread of its own, which lives as long as the stack's processes."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._stop = StopRequest()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="laptop stack")

    def __enter__(self) -> Self:
        try:
            self._thread.start()
            while not self._stack.ready:
                self.check()
                time.sleep(_LOOK_EVERY_S)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def check(self) -> None:
        """Raise what ended the stack, if something did."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._stack.run(self._stop)
        except Exception as error:  # whoever waits on the other thread has to hear of it
            self._failure = error

    def _end(self) -> None:
        self._stop.ask()
        while self._thread.is_alive():
            try:
                self._thread.join(_LOOK_EVERY_S)
            except KeyboardInterrupt:
                self._stop.ask()


def _gets_ready(folder: DataFolder, url: str) -> bool:
    """Wait for a stack that may have just been started. False: it has ended instead."""
    with ApiClient(url, patience_s=0) as api:
        deadline = time.monotonic() + _READY_S
        while missing := api.missing():
            if folder.running() is None:
                return False
            if time.monotonic() > deadline:
                raise ServerUnreachable(f"The stack at {url} does not get ready: {missing}.")
            time.sleep(_LOOK_EVERY_S)
        return True


def _tell(happening: StackEvent, display: Display) -> None:
    """Of a stack that somebody only uses: what they have to wait for, and what went wrong."""
    if happening.action is Action.STOPPING:
        display.busy("stopping the laptop stack")
    elif happening.action in {Action.DIED, Action.ERROR, Action.KILLED, Action.STILL_WAITING}:
        display.warn(render(happening))
    elif happening.action is Action.STACK_READY:
        display.note(render(happening))
