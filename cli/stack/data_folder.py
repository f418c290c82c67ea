"""The laptop stack's data folder: who runs a stack on it, and where that stack listens.

Three small files beside the data:

    lock        flock(2), exclusive, held by the supervisor and inherited by its children: one stack
                on one folder, also while the children of a killed supervisor are still ending
    stack.json  where the stack listens, whose it is; written after the lock is taken
    users.lock  flock(2), shared, held by every command that works with the stack of another command,
                so that a stack that lives for one command does not end under the others
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cli.errors import BadInput, StackFailed

_LOOK_EVERY_S = 0.1
_ENDING_S = 20.0  # how long the children of a killed supervisor may take to end


@dataclass(frozen=True, kw_only=True)
class StackState:
    """What `stack.json` says."""

    url: str
    pid: int
    temporary: bool  # it ends with the command that started it

    @property
    def alive(self) -> bool:
        """Whether there is a process with that id."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class DataFolder:
    """A folder for one stack. Nothing is made or opened before it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.redis = path / "redis"
        self.storage = path / "storage"
        self._lock = path / "lock"
        self._users = path / "users.lock"
        self._state = path / "stack.json"

    def prepare(self) -> None:
        """Make the folder. Raises `BadInput` if it cannot be made or written to."""
        try:
            for folder in (self.path, self.logs, self.redis, self.storage):
                folder.mkdir(parents=True, exist_ok=True)
            os.close(_open(self._lock))
        except OSError as error:
            raise BadInput(
                f"The data folder {self.path} cannot be written to ({error.strerror}). "
                "Name another one with --data-dir."
            ) from error

    @contextmanager
    def claimed(self, note: Callable[[str], None]) -> Iterator[int | None]:
        """Hold the folder for one stack: the lock's file descriptor, or None while another stack lives.

        Waits for the children of a killed supervisor to end. Raises `StackFailed` if they do not.
        """
        descriptor = _open(self._lock)
        try:
            yield descriptor if self._take(descriptor, note) else None
        finally:
            os.close(descriptor)  # not LOCK_UN: children that still live keep the lock

    def _take(self, descriptor: int, note: Callable[[str], None]) -> bool:
        patient, told = time.monotonic() + _ENDING_S, False
        while not _try_lock(descriptor):
            state = self.state()
            if state is not None and state.alive:
                return False
            if time.monotonic() > patient:
                raise StackFailed(
                    f"Processes of an earlier stack still hold {self.path} and do not end. "
                    f"`fuser {self._lock}` names them; end them, or choose another --data-dir."
                )
            if not told and state is not None:
                note(f"An earlier stack on {self.path} is still ending; waiting for it.")
                told = True
            time.sleep(_LOOK_EVERY_S)
        return True

    def state(self) -> StackState | None:
        """What is known of the stack on this folder; None if there is none. It may be dead."""
        try:
            return StackState(**json.loads(self._state.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def running(self) -> StackState | None:
        """The stack on this folder whose supervisor lives."""
        state = self.state()
        return state if state is not None and state.alive else None

    def announce(self, state: StackState) -> None:
        """Let others find the stack. Only for the holder of the lock."""
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(state)))
        fresh.replace(self._state)

    def conceal(self) -> None:
        """Let nobody find the stack any more. Only for the holder of the lock."""
        self._state.unlink(missing_ok=True)

    @contextmanager
    def used(self) -> Iterator[StackState | None]:
        """The running stack, kept from ending (if it is temporary) while the block lasts."""
        descriptor = _open(self._users)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield self.running()
        finally:
            os.close(descriptor)

    def withdraw(self, note: Callable[[str], None]) -> None:
        """Wait until nobody uses the stack, and let nobody find it any more."""
        descriptor = _open(self._users)
        try:
            if not _try_lock(descriptor):
                note("Another command still uses this stack; it stays up until that is done.")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.conceal()
        finally:
            os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
