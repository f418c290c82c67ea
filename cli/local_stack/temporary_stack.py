"""A local stack that runs during one command."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from .settings import LocalStackSettings
from .stack import LocalStack, claimed_local_stack
from .supervision.events import Action, StackEvent, render
from .supervision.supervisor import StopRequest

if TYPE_CHECKING:
    from ..commands.display import Display

_POLL_INTERVAL_S = 0.05


@contextmanager
def temporary_stack(
    settings: LocalStackSettings, display: Display
) -> Iterator[BackgroundStack | None]:
    """A stack that is ready; None if another process holds the data folder. Ends with the block.

    Raises what `claimed_local_stack` and `LocalStack.run` raise.
    """
    with claimed_local_stack(
        settings,
        temporary=True,
        report=lambda event: _show(event, display),
        note=display.note,
    ) as stack:
        if stack is None:
            yield None
            return
        display.note(
            f"No server runs: starting the local stack on {settings.data_dir} for this command."
        )
        display.busy("starting the local stack")
        with BackgroundStack(stack) as background:
            yield background


class BackgroundStack:
    """Runs a stack on its own thread, which lives as long as the stack's processes."""

    def __init__(self, stack: LocalStack) -> None:
        self.url = stack.url
        self._stack = stack
        self._stop = StopRequest()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="local stack")

    def __enter__(self) -> Self:
        try:
            self._thread.start()
            while not self._stack.ready:
                self.check()
                time.sleep(_POLL_INTERVAL_S)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def check(self) -> None:
        """Raise the error that ended the stack, if there is one."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._stack.run(self._stop)
        except Exception as error:  # raised by `check` on the command's thread
            self._failure = error

    def _end(self) -> None:
        self._stop.request()
        while self._thread.is_alive():
            try:
                self._thread.join(_POLL_INTERVAL_S)
            except KeyboardInterrupt:
                self._stop.request()


def _show(event: StackEvent, display: Display) -> None:
    """Show the start and stop of a temporary stack, and its failures."""
    if event.action is Action.STOPPING:
        display.busy("stopping the local stack")
    elif event.action in {Action.DIED, Action.ERROR, Action.KILLED, Action.STILL_WAITING}:
        display.warn(render(event))
    elif event.action is Action.STACK_READY:
        display.note(render(event))
