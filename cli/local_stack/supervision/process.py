"""One child process: its specification, start and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import die_with_parent

# Returns None if ready, else a phrase that says what is missing. Takes seconds at most; never
# raises.
Probe = Callable[[], str | None]

_LOG_BYTES = 10 * 2**20  # a longer log is rotated before the next start
_TAIL_BYTES = 8192
# Files of the children contain catalogues and secrets. Files that a command writes for its user
# have the user's umask.
_PRIVATE_UMASK = 0o077


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """A child's command and environment. Without a probe it is ready as soon as it runs."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)  # added to this process's environment
    probe: Probe | None = None
    needs: tuple[str, ...] = ()  # children that must be ready before the first start
    grace_s: float = 5.0  # from SIGTERM to SIGKILL


@dataclass(frozen=True, kw_only=True)
class Death:
    """How a child ended."""

    code: int  # negative: the signal that ended it
    words: str


class Child:
    """A process that leads its own process group, so that a terminal's Ctrl-C does not reach it."""

    def __init__(
        self, spec: ChildSpec, *, log: Path, folder: Path, keep_open: Sequence[int]
    ) -> None:
        self.spec = spec
        self.log = log
        self.ready = False
        self.was_ready = False  # since the last start
        self.started = False  # once at least
        self.consecutive_crashes = 0
        self.start_at = 0.0  # monotonic; not before
        self.probe_at = 0.0
        self.missing = "it is starting"
        self._folder = folder
        self._keep_open = tuple(keep_open)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    @property
    def running(self) -> bool:
        """Whether there is a process whose end was not yet observed."""
        return self._process is not None

    @property
    def lived_s(self) -> float:
        """Seconds since the last start."""
        return time.monotonic() - self._started_at

    def start(self) -> None:
        """Start the process; its output goes to the log. Raises OSError."""
        self.was_ready = False
        self._started_at = time.monotonic()
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        wrapper = [sys.executable, "-I", "-S", die_with_parent.__file__, str(os.getpid())]
        with os.fdopen(_private_log(self.log), "ab") as output:
            self._process = subprocess.Popen(
                [*wrapper, *self.spec.argv],
                env={**os.environ, **self.spec.env},
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                umask=_PRIVATE_UMASK,
                pass_fds=self._keep_open,
            )
        self._started_at = time.monotonic()
        self.started = True
        self.ready = self.was_ready = self.spec.probe is None

    def death(self) -> Death | None:
        """How it ended; None while it runs. Kills its remaining child processes."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._end_group()
        self._process = None
        self.ready = False
        words = f"exit status {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
        return Death(code=code, words=words)

    def end(self, *, hurry: Callable[[], bool]) -> bool:
        """Send SIGTERM, then SIGKILL after the grace period or when `hurry()`.

        False: it was killed.
        """
        if self._process is None:
            return True
        self._process.terminate()
        deadline = time.monotonic() + self.spec.grace_s
        while self._process.poll() is None and time.monotonic() < deadline and not hurry():
            time.sleep(0.01)
        in_time = self._process.poll() is not None
        self._end_group()
        self._process.wait()
        self._process = None
        self.ready = False
        return in_time

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _end_group(self) -> None:
        """Kill the rest of the process group: the process itself, or its children."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # none left; macOS says EPERM for zombies
            return


def _private_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
