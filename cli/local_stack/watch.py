"""Problems of a stack that restarting a process does not solve: deleted files, damage, bad models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import StackFailed
from .data import append_only_file
from .data.data_folder import DataFolder
from .data.presence import Presence
from .log_errors import LogErrors
from .supervision.events import Action, StackEvent
from .supervision.supervisor import StopRequest


class Watch:
    """Ends the stack when its files are deleted or its record cannot be read; reports why a model does not load."""

    def __init__(
        self,
        folder: DataFolder,
        report: Callable[[StackEvent], None],
        *,
        every_s: float = 1.0,
    ) -> None:
        """The folder must exist and be claimed. `every_s`: seconds between two checks."""
        self.checks = 0
        self._every_s = every_s
        self._redis = folder.redis
        self._report = report
        self._presence = Presence(
            [folder.path, folder.lock, folder.redis, folder.storage],
            appearing=lambda: append_only_file.find(folder.redis),
        )
        self._model_errors = LogErrors(folder.logs / "serving.log")
        self._redis_died = False
        self._reason: str | None = None

    @contextmanager
    def over(self, stop: StopRequest) -> Iterator[None]:
        """Watch while the block runs the stack, and ask for its stop if need be. Raises `StackFailed` after that."""
        over = threading.Event()
        watching = threading.Thread(target=self._run, args=[stop, over], name="watch", daemon=True)
        watching.start()
        try:
            try:
                yield
            finally:
                over.set()
                watching.join()
        except StackFailed as error:
            self._check()  # the processes may have noticed before this thread has
            if self._reason:
                raise StackFailed(self._reason) from error
            raise
        if self._reason:
            raise StackFailed(self._reason)

    def after(self, event: StackEvent) -> None:
        """Schedule a check of what was reported about a process. Returns at once."""
        if event.action is Action.DIED and event.child == "redis":
            self._redis_died = True

    def _run(self, stop: StopRequest, over: threading.Event) -> None:
        while not over.wait(self._every_s):
            for error in self._model_errors.fresh():
                with suppress(OSError):  # the terminal has gone away
                    self._report(StackEvent(action=Action.ERROR, child="serving", detail=error))
            self._check()
            self.checks += 1
            if self._reason:
                stop.ask()
                return

    def _check(self) -> None:
        if self._reason is None and (lost := self._presence.lost()) is not None:
            self._reason = _deleted(lost)
        if self._reason is None and self._redis_died:
            self._redis_died = False
            damage = append_only_file.damage(self._redis)
            if damage is not None:  # starting it again changes nothing
                self._reason = f"{damage.detail} {damage.remedy}"


def _deleted(path: Path) -> str:
    return (
        f"{path} was deleted or replaced while the stack ran, so the stack has ended: nothing more could be kept. "
        "Put a copy of the data folder back, or start again without the jobs that were in it."
    )
