"""The local stack's data folder: it is private, and records which stack runs on it and where.

Three small files next to the data:

    lock        flock(2), exclusive, held by the supervisor and inherited by its children: one stack
                on one folder, also while the children of a killed supervisor are still ending
    stack.json  address and process id of the stack; written after the lock is taken. flock(2),
    exclusive,
                held only by the supervisor: without that lock the file is stale, and another
                program may listen at the address
    users.lock  flock(2), shared, held by every command that works with the stack of another
    command,
                so that a stack that lives for one command does not end under the others
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import BadInput, StackFailed

_PRIVATE_MODE = 0o700
_POLL_INTERVAL_S = 0.1
_ENDING_TIMEOUT_S = 20.0  # how long the children of a killed supervisor may take to end


@dataclass(frozen=True, kw_only=True)
class StackState:
    """The content of `stack.json`."""

    url: str
    pid: int
    temporary: bool  # it ends with the command that started it


class DataFolder:
    """A folder for one stack. The constructor creates and opens nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.redis = path / "redis"
        self.storage = path / "storage"
        self.lock = path / "lock"
        self._users = path / "users.lock"
        self._state = path / "stack.json"

    def prepare(self) -> None:
        """Create the folder with mode 0700.

        Raises `BadInput` if it is not writable or cannot be made private.
        """
        try:
            self.path.mkdir(mode=_PRIVATE_MODE, parents=True, exist_ok=True)
            self._make_private()
            for folder in (self.logs, self.redis, self.storage):
                folder.mkdir(mode=_PRIVATE_MODE, exist_ok=True)
            os.close(_open(self.lock))
        except OSError as error:
            raise BadInput(
                f"The data folder {self.path} cannot be written to ({error.strerror}). "
                "Name another one with --data-dir."
            ) from error

    @property
    def open_to_others(self) -> bool:
        """Whether other users of this machine have any permission on the folder. Raises OSError."""
        return _open_to_others(self.path.stat())

    def _make_private(self) -> None:
        """Remove the permissions of other users from a folder that contains only a stack's data."""
        status = self.path.stat()
        if not _open_to_others(status):
            return
        if status.st_uid != os.geteuid():
            raise BadInput(
                f"{self.path} belongs to another user. Name a folder of your own with --data-dir."
            )
        made_here = {folder.name for folder in (self.logs, self.redis, self.storage)}
        # Before the first start one of them may be there already, for a disk of its own.
        ours = self.lock.exists() or made_here.issuperset(p.name for p in self.path.iterdir())
        if ours and not status.st_mode & stat.S_ISVTX:
            self.path.chmod(_PRIVATE_MODE)
        if _open_to_others(self.path.stat()):
            raise BadInput(
                f"Other users of this machine can read {self.path}, which contains more than a "
                "stack's data. "
                "Choose a folder only for the stack with --data-dir, or make this one private: "
                f"chmod 700 {shlex.quote(str(self.path))}"
            )

    @contextmanager
    def claimed(self, note: Callable[[str], None]) -> Iterator[int | None]:
        """Hold the folder for one stack: the lock's file descriptor, or None if it is in use.

        Waits for the children of a killed supervisor to end. Raises `StackFailed` if they do not.
        """
        descriptor = _open(self.lock)
        try:
            yield descriptor if self._take(descriptor, note) else None
        finally:
            os.close(descriptor)  # not LOCK_UN: children that still live keep the lock

    def _take(self, descriptor: int, note: Callable[[str], None]) -> bool:
        deadline, noted = time.monotonic() + _ENDING_TIMEOUT_S, False
        while not _try_lock(descriptor):
            if self.running() is not None:
                return False
            if time.monotonic() > deadline:
                raise StackFailed(
                    f"Processes of an earlier stack on {self.path} do not exit. "
                    f"`fuser {self.lock}` lists them; stop them, or choose another --data-dir."
                )
            if not noted and self._state.exists():
                note(f"An earlier stack on {self.path} is still ending; waiting for it.")
                noted = True
            time.sleep(_POLL_INTERVAL_S)
        return True

    def running(self) -> StackState | None:
        """The stack on this folder whose supervisor lives."""
        try:
            descriptor = os.open(self._state, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if _try_lock(descriptor, fcntl.LOCK_SH):
                return None
            try:
                return StackState(**json.loads(file.read()))
            except (ValueError, TypeError):
                return None

    @contextmanager
    def announced(self, state: StackState) -> Iterator[None]:
        """Publish the stack's address during the block. Call it only while holding the lock."""
        fresh = self._state.with_suffix(".new")
        descriptor = _open(fresh)
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            file.truncate()
            file.write(json.dumps(asdict(state)).encode())
            file.flush()
            fresh.replace(self._state)
            try:
                yield
            finally:
                self.conceal()

    def conceal(self) -> None:
        """Remove the published address. Call it only while holding the lock."""
        self._state.unlink(missing_ok=True)

    @contextmanager
    def shared(self) -> Iterator[StackState | None]:
        """The running stack, kept from ending (if it is temporary) while the block lasts."""
        descriptor = _open(self._users)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield self.running()
        finally:
            os.close(descriptor)

    def withdraw(self, note: Callable[[str], None]) -> None:
        """Wait until no other command uses the stack, then remove the published address."""
        try:
            descriptor = _open(self._users)
        except FileNotFoundError:  # the folder has been deleted
            return
        try:
            if not _try_lock(descriptor):
                note("Another command still uses this stack; it stays up until that is done.")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            self.conceal()
        finally:
            os.close(descriptor)


def _open_to_others(status: os.stat_result) -> bool:
    return bool(stat.S_IMODE(status.st_mode) & 0o077)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
