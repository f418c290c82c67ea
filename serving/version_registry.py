"""The versions of one model: their states, and who is using which."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar

import grpc

from serving.errors import NotServed


class State(Enum):
    """TensorFlow Serving's version states, by its numbers."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, kw_only=True)
class VersionStatus:
    """A version's state; `code` and `message` say why where it ended because of an error."""

    version: int
    state: State
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


class Closable(Protocol):
    """What a version is made of, as far as this module cares."""

    def close(self) -> None: ...


Model = TypeVar("Model", bound=Closable)


class _Held(Generic[Model]):
    """A loaded version and the number of requests that use it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.users = 0
        self.withdrawn = False


class VersionRegistry(Generic[Model]):
    """Thread-safe. A version that is withdrawn is closed by the last request that uses it."""

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name
        self._lock = threading.Lock()
        self._serving: dict[int, _Held[Model]] = {}
        self._statuses: dict[int, VersionStatus] = {}

    @property
    def serving(self) -> frozenset[int]:
        """The versions that answer requests now."""
        with self._lock:
            return frozenset(self._serving)

    @contextmanager
    def use(self, model_name: str, version: int | None) -> Iterator[tuple[int, Model]]:
        """Lends a version, the newest one if `version` is None, and keeps it open meanwhile.

        Raises:
            NotServed: there is no such model, or this version of it does not serve.
        """
        with self._lock:
            found = max(self._serving, default=None) if version is None else version
            if model_name != self.model_name or found is None or found not in self._serving:
                wanted = (
                    f"Latest({model_name})"
                    if version is None
                    else f"Specific({model_name}, {version})"
                )
                raise NotServed(f"Servable not found for request: {wanted}")
            held = self._serving[found]
            held.users += 1
        try:
            yield found, held.model
        finally:
            with self._lock:
                held.users -= 1
            self._close_unused(found, held)

    def statuses(self, model_name: str, version: int | None) -> list[VersionStatus]:
        """The state of one version, or of all that were ever seen, oldest first.

        Raises:
            NotServed: nothing is known of this model or version.
        """
        with self._lock:
            known = self._statuses if model_name == self.model_name else {}
            if version is None:
                if not known:
                    raise NotServed(f"Could not find any versions of model {model_name}")
                return [known[number] for number in sorted(known)]
            if version not in known:
                raise NotServed(f"Could not find version {version} of model {model_name}")
            return [known[version]]

    def note(self, status: VersionStatus) -> None:
        """Records the state of a version that does not serve."""
        with self._lock:
            self._statuses[status.version] = status

    def publish(self, version: int, model: Model) -> None:
        """Makes a loaded version answer requests."""
        with self._lock:
            self._serving[version] = _Held(model)
            self._statuses[version] = VersionStatus(version=version, state=State.AVAILABLE)

    def withdraw(self, version: int) -> None:
        """Takes a version out of service; requests that use it finish first."""
        with self._lock:
            held = self._serving.pop(version)
            held.withdrawn = True
            self._statuses[version] = VersionStatus(version=version, state=State.UNLOADING)
        self._close_unused(version, held)

    def _close_unused(self, version: int, held: _Held[Model]) -> None:
        with self._lock:
            if held.users or not held.withdrawn:
                return
            held.withdrawn = False  # so that nobody else closes it
            # The folder may have come back and be loading again; then that is the version's state.
            if self._statuses[version].state is State.UNLOADING:
                self._statuses[version] = VersionStatus(version=version, state=State.END)
        held.model.close()
