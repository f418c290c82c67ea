"""Tells the job record that this worker is alive and which model it reaches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

import redis

from worker.dependencies import Services
from worker.model.client import ModelError

log = logging.getLogger(__name__)

REPORT_EVERY_S = 3.0


def start_status_reporter(services: Services, name: str) -> None:
    """Report from a thread of this process for as long as it lives."""

    def run() -> None:
        pause = threading.Event()
        while True:
            try:
                services.store.workers.report(name, _model(services))
            except redis.RedisError as error:
                log.warning("could not report to Redis: %s", error)
            except Exception:
                log.exception("could not report")
            pause.wait(REPORT_EVERY_S)

    threading.Thread(target=run, name="reporter", daemon=True).start()


def _model(services: Services) -> Mapping[str, object] | None:
    try:
        model = services.models.newest_usable()
    except ModelError as error:
        log.warning("no usable model: %s", error)
        return None
    try:
        evidence = services.models.gives_evidence(model)
    except ModelError as error:
        log.warning("no evidence for now: %s", error)
        evidence = False
    return {**model.description.document, "version": model.version, "evidence": evidence}
