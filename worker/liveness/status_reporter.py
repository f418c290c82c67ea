"""Reports to the job record that this worker is alive and which model it can use."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from worker.dependencies import Services
from worker.liveness.reporting import start_reporter
from worker.model.client import ModelError

log = structlog.get_logger(__name__)


def start_status_reporter(services: Services, name: str) -> None:
    """Start the reporting thread of this process."""

    def report() -> None:
        services.store.workers.report(name, _model(services))

    start_reporter("status", report)


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
