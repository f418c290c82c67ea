"""Keeps a set of child processes running, and ends all of them.

It is independent of Spinelabel: it takes child specifications and reports events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ...errors import StackFailed
from .events import Action, StackEvent
from .process import Child, ChildSpec, Death, Probe
from .restart_policy import RestartPolicy

_TICK_S = 0.05
_PROBE_EVERY_S = 0.2
_REMIND_EVERY_S = 20.0


class StopRequest:
    """A request to stop: the first is graceful, a second kills. Safe in a signal handler.

    (A `threading.Event` is not safe: the interrupted code may hold its lock.)
    """

    def __init__(self) -> None:
        self.count = 0

    def request(self) -> None:
        """Request the stop."""
        self.count += 1


class Supervisor:
    """Children in the order of their start; they are ended in the opposite order."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        log_folder: Path,
        work_folder: Path,
        report: Callable[[StackEvent], None],
        stack_probe: Probe = lambda: None,
        policy: RestartPolicy | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.ready = False  # the stack has been ready once
        self._children = [
            Child(
                spec, log=log_folder / f"{spec.name}.log", folder=work_folder, keep_open=keep_open
            )
            for spec in specs
        ]
        self._by_name = {child.spec.name: child for child in self._children}
        self._log_folder = log_folder
        self._report = report
        self._stack_probe = stack_probe
        self._stack_missing = ""
        self._policy = policy or RestartPolicy()

    def run(self, stop: StopRequest) -> None:
        """Start everything and keep it running until a stop is requested; then end all children.

        Call it on a thread that lives until it returns (see `die_with_parent`). Raises
        `StackFailed` when a child dies repeatedly.
        """
        began = time.monotonic()
        probe_at, remind_at = began, began + _REMIND_EVERY_S
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
            while not stop.count:
                for child in self._children:
                    self._attend(child)
                now = time.monotonic()
                if not self.ready and now >= probe_at:
                    probe_at = now + _PROBE_EVERY_S
                    self._check_readiness(now - began)
                if not self.ready and now >= remind_at:
                    remind_at = now + _REMIND_EVERY_S
                    self._emit(
                        Action.STILL_WAITING, detail=self._describe_missing(), after=now - began
                    )
                time.sleep(_TICK_S)
        except OSError as error:
            raise StackFailed(f"The stack cannot continue: {error}.") from error
        finally:
            self._end_all(stop)

    def _attend(self, child: Child) -> None:
        if (death := child.death()) is not None:
            self._after_death(child, death)
        elif not child.running:
            needed = all(self._by_name[name].ready for name in child.spec.needs)
            if time.monotonic() >= child.start_at and (needed or child.started):
                self._start(child)
        elif not child.ready and child.spec.probe and time.monotonic() >= child.probe_at:
            child.probe_at = time.monotonic() + _PROBE_EVERY_S
            missing = child.spec.probe()
            child.ready = child.was_ready = missing is None
            child.missing = missing or ""
            if child.ready:
                self._emit(Action.READY, child, after=child.lived_s)

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:
            if not self.ready:
                raise
            # No space for its log or no process can be created: a shortage, so retry like after a
            # death.
            self._after_death(child, Death(code=1, words=f"it cannot be started: {error}"))
        else:
            self._emit(Action.STARTING, child)

    def _after_death(self, child: Child, death: Death) -> None:
        quick = self._policy.is_quick(lived_s=child.lived_s, was_ready=child.was_ready)
        child.consecutive_crashes = child.consecutive_crashes + 1 if quick else 0
        delay = self._policy.delay(
            child.consecutive_crashes, code=death.code, stack_was_ready=self.ready
        )
        if delay is None:
            self._emit(Action.DIED, child, detail=death.words, after=child.lived_s)
            times = (
                f"{child.consecutive_crashes} times in a row "
                if child.consecutive_crashes > 1
                else ""
            )
            raise StackFailed(
                f"{child.spec.name} died {times}({death.words}). "
                f"The end of its log, {child.log}:\n{child.log_tail()}"
            )
        child.start_at = time.monotonic() + delay
        detail = f"{death.words}; starting it again in {delay:.1f} s (log: {child.log})"
        self._emit(Action.DIED, child, detail=detail, after=child.lived_s)

    def _check_readiness(self, since_start: float) -> None:
        if all(child.ready for child in self._children):
            self._stack_missing = self._stack_probe() or ""
            if not self._stack_missing:
                self.ready = True
                self._emit(Action.STACK_READY, after=since_start)

    def _describe_missing(self) -> str:
        missing = [f"{c.spec.name}: {c.missing}" for c in self._children if not c.ready]
        return "; ".join(missing) or self._stack_missing

    def _end_all(self, stop: StopRequest) -> None:
        self._emit(Action.STOPPING)
        for child in reversed(self._children):
            if not child.end(hurry=lambda: stop.count > 1):
                self._emit(Action.KILLED, child, detail="it did not end in time")
        self._emit(Action.STOPPED)

    def _emit(
        self,
        action: Action,
        child: Child | None = None,
        *,
        detail: str = "",
        after: float | None = None,
    ) -> None:
        name = child.spec.name if child else None
        # A closed terminal must not stop the supervision.
        with suppress(OSError):
            self._report(StackEvent(action=action, child=name, detail=detail, after_s=after))
