"""The versions of one model, their states, and the requests that use them."""

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
    """Version states, with TensorFlow Serving's numbers."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True, kw_only=True)
class VersionStatus:
    """The state of a version; `code` and `message` hold the error if it failed."""

    version: int
    state: State
    code: grpc.StatusCode = grpc.StatusCode.OK
    message: str = ""


class Closable(Protocol):
    """A loaded model."""

    def close(self) -> None: ...


Model = TypeVar("Model", bound=Closable)


class _LoadedVersion(Generic[Model]):
    """A loaded version and its number of users."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.users = 0
        self.withdrawn = False


class VersionRegistry(Generic[Model]):
    """Thread-safe. A withdrawn version is closed by the last request that uses it."""

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name
        self._lock = threading.Lock()
        self._serving: dict[int, _LoadedVersion[Model]] = {}
        self._statuses: dict[int, VersionStatus] = {}

    @property
    def serving(self) -> frozenset[int]:
        """The versions that are served."""
        with self._lock:
            return frozenset(self._serving)

    @contextmanager
    def use(self, model_name: str, version: int | None) -> Iterator[tuple[int, Model]]:
        """Yield a version, the newest if `version` is None, and keep it loaded during the block.

        Raises:
            NotServed: the model or version is not served.
        """
        with self._lock:
            number = max(self._serving, default=None) if version is None else version
            if model_name != self.model_name or number is None or number not in self._serving:
                requested = (
                    f"Latest({model_name})"
                    if version is None
                    else f"Specific({model_name}, {version})"
                )
                raise NotServed(f"Servable not found for request: {requested}")
            loaded = self._serving[number]
            loaded.users += 1
        try:
            yield number, loaded.model
        finally:
            with self._lock:
                loaded.users -= 1
            self._close_unused(number, loaded)

    def statuses(self, model_name: str, version: int | None) -> list[VersionStatus]:
        """Return the state of one version, or of all since the start, oldest first.

        Raises:
            NotServed: the model or version is unknown.
        """
        with self._lock:
            statuses = self._statuses if model_name == self.model_name else {}
            if version is None:
                if not statuses:
                    raise NotServed(f"Could not find any versions of model {model_name}")
                return [statuses[number] for number in sorted(statuses)]
            if version not in statuses:
                raise NotServed(f"Could not find version {version} of model {model_name}")
            return [statuses[version]]

    def set_status(self, status: VersionStatus) -> None:
        """Record the state of a version that is not served."""
        with self._lock:
            self._statuses[status.version] = status

    def publish(self, version: int, model: Model) -> None:
        """Serve a loaded version."""
        with self._lock:
            self._serving[version] = _LoadedVersion(model)
            self._statuses[version] = VersionStatus(version=version, state=State.AVAILABLE)

    def withdraw(self, version: int) -> None:
        """Stop serving a version; it is closed after the requests that use it."""
        with self._lock:
            loaded = self._serving.pop(version)
            loaded.withdrawn = True
            self._statuses[version] = VersionStatus(version=version, state=State.UNLOADING)
        self._close_unused(version, loaded)

    def _close_unused(self, version: int, loaded: _LoadedVersion[Model]) -> None:
        with self._lock:
            if loaded.users or not loaded.withdrawn:
                return
            loaded.withdrawn = False  # closed once only
            # Unless the version has been published again and is loading.
            if self._statuses[version].state is State.UNLOADING:
                self._statuses[version] = VersionStatus(version=version, state=State.END)
        loaded.model.close()
