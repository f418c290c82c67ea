"""The thread in which a process of the worker reports to the job record."""

from __future__ import annotations

import threading
from collections.abc import Callable

import redis
import structlog

log = structlog.get_logger(__name__)

REPORT_INTERVAL_S = 3.0


def start_reporter(subject: str, report: Callable[[], None]) -> None:
    """Start a thread that calls `report` periodically; its errors are logged.

    Args:
        subject: what is reported; names the thread and the log event.
        report: sends one report; may raise.
    """
    failure = f"{subject}_report_failed"

    def run() -> None:
        pause = threading.Event()
        while True:
            try:
                report()
            except redis.RedisError as error:
                log.warning(failure, error=error)
            except Exception:
                log.exception(failure)
            pause.wait(REPORT_INTERVAL_S)

    threading.Thread(target=run, name=f"{subject}-reporter", daemon=True).start()
