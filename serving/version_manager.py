"""Keeps the served versions as the model folder has them: looks, loads, warms up, publishes, withdraws."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import tensorflow as tf

from serving.errors import ServingError, one_line
from serving.model import SavedModelSession
from serving.settings import ServingSettings
from serving.version_policy import Contents, find_versions, look_at, next_step
from serving.version_registry import State, VersionRegistry, VersionStatus
from serving.warmup import warm_up

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A version that could not be loaded: its files as they were, and the monotonic time of the next attempt."""

    contents: Contents
    again_at: float


class VersionManager:
    """One thread that polls the model folder. Requests go on while it loads."""

    def __init__(
        self,
        settings: ServingSettings,
        table: VersionRegistry[SavedModelSession],
        on_change: Callable[[bool], None],
    ) -> None:
        """`on_change` is told, after each change, whether any version serves."""
        self._settings = settings
        self._table = table
        self._on_change = on_change
        # Versions that failed: tried again once their files change, and after a while, since the fault may have passed.
        self._broken: dict[int, _Failure] = {}
        self._complaint = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="version-keeper", daemon=True)

    def start(self) -> None:
        """Begins with the newest version."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the polling and withdraws every version; waits while one is being loaded."""
        self._stop.set()
        self._thread.join()
        for version in self._table.serving:
            self._table.withdraw(version)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self._look_and_act()
            except Exception:
                # This thread is the only one that can pick up a new version: it must not end.
                log.exception("looking after the versions failed; trying again")
                busy = False
            if not busy:
                self._stop.wait(self._settings.serving_poll_s)

    def _look_and_act(self) -> bool:
        """One step; whether there may be another one to do at once."""
        folder = self._settings.model_folder
        try:
            present = find_versions(folder)
        except OSError as error:
            self._complain(f"cannot read {folder} ({error.strerror}); what serves goes on serving")
            return False
        self._broken = {
            version: failure
            for version, failure in self._broken.items()
            if version in present
            and look_at(present[version]) == failure.contents
            and time.monotonic() < failure.again_at
        }
        step = next_step(
            present=present.keys(),
            broken=self._broken.keys(),
            serving=self._table.serving,
            keep=self._settings.serving_versions,
        )
        for version in step.unload:
            self._table.withdraw(version)
            log.info("version %d of %s is withdrawn", version, self._table.model_name)
        if step.load is not None:
            self._load(step.load, present[step.load])
        if step.load is not None or step.unload:
            self._on_change(bool(self._table.serving))
            return True
        self._complain("" if self._table.serving else f"no version in {folder} can be served")
        return False

    def _load(self, version: int, folder: Path) -> None:
        name = self._table.model_name
        self._table.note(VersionStatus(version=version, state=State.LOADING))
        contents = look_at(folder)
        began = time.monotonic()
        model: SavedModelSession | None = None
        try:
            model = SavedModelSession(
                folder,
                intra_op_threads=self._settings.serving_intra_op_threads,
                inter_op_threads=self._settings.serving_inter_op_threads,
            )
            loaded = time.monotonic()
            requests = warm_up(model, folder)
        except Exception as error:  # a broken export can fail in any way TensorFlow knows
            if model is not None:
                model.close()
            again_at = time.monotonic() + self._settings.serving_retry_s
            self._broken[version] = _Failure(contents=contents, again_at=again_at)
            reason = f"{type(error).__name__}: {one_line(error)}"
            self._table.note(
                VersionStatus(version=version, state=State.END, code=_code(error), message=reason)
            )
            log.error("version %d of %s cannot be served: %s", version, name, reason)
            return
        self._table.publish(version, model)
        log.info(
            "version %d of %s serves: loaded in %.2f s, warmed up by %d requests in %.2f s",
            version,
            name,
            loaded - began,
            requests,
            time.monotonic() - loaded,
        )

    def _complain(self, complaint: str) -> None:
        """Logs a lasting condition once, not at every look."""
        if complaint and complaint != self._complaint:
            log.warning("%s", complaint)
        self._complaint = complaint


def _code(error: Exception) -> grpc.StatusCode:
    if isinstance(error, ServingError):
        return error.code
    number = error.error_code if isinstance(error, tf.errors.OpError) else None
    return next(
        (code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN
    )
