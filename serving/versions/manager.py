"""Polls the model folder and reconciles the served versions with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog
import tensorflow as tf

from serving.errors import ServingError, one_line
from serving.model import SavedModelSession
from serving.settings import ServingSettings
from serving.versions.policy import Fingerprint, find_versions, fingerprint_files, next_step
from serving.versions.registry import State, VersionRegistry, VersionStatus
from serving.versions.warmup import warm_up

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Failure:
    """A version that failed to load: its files, and the monotonic time of the next attempt."""

    files: Fingerprint
    retry_at: float


class VersionManager:
    """Polls the model folder in a thread. Requests are served while it loads a version."""

    def __init__(
        self,
        settings: ServingSettings,
        registry: VersionRegistry[SavedModelSession],
        on_change: Callable[[bool], None],
    ) -> None:
        """`on_change` is called after each change with whether any version is served."""
        self._settings = settings
        self._registry = registry
        self._on_change = on_change
        # Retried when their files change, and periodically because the cause may be transient.
        self._broken: dict[int, _Failure] = {}
        self._last_warning: tuple[str, str] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="version-manager", daemon=True)

    def start(self) -> None:
        """Start the thread; the newest version is loaded first."""
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and unload all versions. Waits for a version that is being loaded."""
        self._stop.set()
        self._thread.join()
        for version in self._registry.serving:
            self._registry.withdraw(version)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self._reconcile()
            except Exception:
                # Without this thread no new version would ever be loaded.
                log.exception("version_reconciliation_failed")
                busy = False
            if not busy:
                self._stop.wait(self._settings.serving_poll_s)

    def _reconcile(self) -> bool:
        """Take one step; return whether another one may follow at once."""
        folder = self._settings.model_folder
        try:
            present = find_versions(folder)
        except OSError as error:
            self._warn_once("model_folder_unreadable", reason=str(error.strerror))
            return False
        self._broken = {
            version: failure
            for version, failure in self._broken.items()
            if version in present
            and fingerprint_files(present[version]) == failure.files
            and time.monotonic() < failure.retry_at
        }
        step = next_step(
            present=present.keys(),
            broken=self._broken.keys(),
            serving=self._registry.serving,
            keep=self._settings.serving_versions,
        )
        for version in step.unload:
            self._registry.withdraw(version)
            log.info("version_unloaded", version=version, model=self._registry.model_name)
        if step.load is not None:
            self._load(step.load, present[step.load])
        if step.load is not None or step.unload:
            self._on_change(bool(self._registry.serving))
            return True
        if self._registry.serving:
            self._last_warning = None
        else:
            self._warn_once("no_version_served", reason="publish a version that loads")
        return False

    def _load(self, version: int, folder: Path) -> None:
        name = self._registry.model_name
        self._registry.set_status(VersionStatus(version=version, state=State.LOADING))
        files = fingerprint_files(folder)
        started = time.monotonic()
        model: SavedModelSession | None = None
        try:
            model = SavedModelSession(
                folder,
                intra_op_threads=self._settings.serving_intra_op_threads,
                inter_op_threads=self._settings.serving_inter_op_threads,
            )
            loaded = time.monotonic()
            requests = warm_up(model, folder)
        except Exception as error:  # TensorFlow raises many types for a broken export
            if model is not None:
                model.close()
            retry_at = time.monotonic() + self._settings.serving_retry_s
            self._broken[version] = _Failure(files=files, retry_at=retry_at)
            reason = f"{type(error).__name__}: {one_line(error)}"
            self._registry.set_status(
                VersionStatus(version=version, state=State.END, code=_code(error), message=reason)
            )
            log.error("version_load_failed", version=version, model=name, error=reason)
            return
        self._registry.publish(version, model)
        log.info(
            "version_loaded",
            version=version,
            model=name,
            load_s=round(loaded - started, 2),
            warm_up_requests=requests,
            warm_up_s=round(time.monotonic() - loaded, 2),
        )

    def _warn_once(self, event: str, *, reason: str) -> None:
        """Log a lasting condition once and not at every poll."""
        if (event, reason) != self._last_warning:
            log.warning(event, folder=str(self._settings.model_folder), reason=reason)
        self._last_warning = (event, reason)


def _code(error: Exception) -> grpc.StatusCode:
    if isinstance(error, ServingError):
        return error.code
    number = error.error_code if isinstance(error, tf.errors.OpError) else None
    return next(
        (code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN
    )
