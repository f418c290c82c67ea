"""Detects problems that restarts do not solve: deleted files, damaged data, unusable models."""

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
    """Stops the stack if its files are deleted or damaged; reports models that do not load."""

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
        """Watch the stack that the block runs.

        After a problem, stops it and raises `StackFailed`.
        """
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
            self._check()  # the processes may fail before this thread detects the cause
            if self._reason:
                raise StackFailed(self._reason) from error
            raise
        if self._reason:
            raise StackFailed(self._reason)

    def after(self, event: StackEvent) -> None:
        """Schedule the check that this event requires. Does not block."""
        if event.action is Action.DIED and event.child == "redis":
            self._redis_died = True

    def _run(self, stop: StopRequest, over: threading.Event) -> None:
        while not over.wait(self._every_s):
            for error in self._model_errors.fresh():
                with suppress(OSError):  # the terminal was closed
                    self._report(StackEvent(action=Action.ERROR, child="serving", detail=error))
            self._check()
            self.checks += 1
            if self._reason:
                stop.request()
                return

    def _check(self) -> None:
        if self._reason is None and (lost := self._presence.lost()) is not None:
            self._reason = _deleted(lost)
        if self._reason is None and self._redis_died:
            self._redis_died = False
            damage = append_only_file.damage(self._redis)
            if damage is not None:  # a restart would fail again
                self._reason = f"{damage.detail} {damage.remedy}"


def _deleted(path: Path) -> str:
    return (
        f"{path} was deleted or replaced while the stack was running, so the stack has stopped. "
        "Restore a copy of the data folder, or start again without its jobs."
    )
