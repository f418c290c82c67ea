"""Reports to the job record that this worker is alive and which model it can use."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import redis
import structlog

from worker.dependencies import Services
from worker.model.client import ModelError

log = structlog.get_logger(__name__)

REPORT_INTERVAL_S = 3.0


def start_status_reporter(services: Services, name: str) -> None:
    """Start the reporting thread of this process."""

    def run() -> None:
        pause = threading.Event()
        while True:
            try:
                services.store.workers.report(name, _model(services))
            except redis.RedisError as error:
                log.warning("status_report_failed", error=error)
            except Exception:
                log.exception("status_report_failed")
            pause.wait(REPORT_INTERVAL_S)

    threading.Thread(target=run, name="status-reporter", daemon=True).start()


def _model(services: Services) -> Mapping[str, object] | None:
    try:
        model = services.models.newest_usable()
    except ModelError as error:
        log.warning("model_unusable", error=error)
        return None
    try:
        evidence = services.models.has_evidence(model)
    except ModelError as error:
        log.warning("evidence_unavailable", error=error)
        evidence = False
    return {**model.description.document, "version": model.version, "evidence": evidence}
