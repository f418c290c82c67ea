"""Composition root: `python -m worker` runs a worker, `python -m worker beat` the scheduler."""

from __future__ import annotations

import logging
import os
import sys

from celery import Celery, signals
from celery.worker import state
from pydantic import ValidationError

from jobs.logs.setup import LogFormat, configure_logging
from jobs.queue.task_queue import QUEUES
from worker.celery_app import make_app
from worker.liveness.consumer_watchdog import ConsumerWatchdog, broker_connection_name
from worker.settings import WorkerSettings


def main(arguments: list[str]) -> int:
    """Run until SIGTERM. Exit status 2 for a wrong argument or setting."""
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = "SPINELABEL_" + "_".join(str(part) for part in problem["loc"]).upper()
            # The value is not printed: it may contain a password.
            print(f"{name}: {problem['msg']}", file=sys.stderr)
        return 2
    _configure_logging(settings.log_format)
    # With a receiver, Celery does not configure logging.
    signals.setup_logging.connect(lambda **_: None, weak=False)
    app = make_app(settings)
    if not arguments:
        _start_watchdog(app, settings)
        app.worker_main(
            [
                "--quiet",  # no banner among the log lines
                "worker",
                f"--concurrency={settings.concurrency}",
                f"--queues={','.join(QUEUES)}",
                # The job record coordinates workers; they exchange no events.
                "--without-gossip",
                "--without-mingle",
            ]
        )
        return 0
    if arguments == ["beat"]:
        # Missed periodic tasks are not made up for, so beat keeps no schedule file.
        app.Beat(scheduler="celery.beat:Scheduler", schedule=os.devnull, quiet=True).run()
        return 0
    print("Usage: python -m worker [beat]", file=sys.stderr)
    return 2


def _start_watchdog(app: Celery, settings: WorkerSettings) -> None:
    app.conf.broker_transport_options["client_name"] = name = broker_connection_name()
    watchdog = ConsumerWatchdog(
        settings.redis_url,
        name=name,
        timeout_s=settings.consumer_timeout_s,
        is_busy=lambda: len(state.active_requests) >= settings.concurrency,
    )
    # From the fork of the pool until a warm shutdown begins.
    signals.worker_ready.connect(lambda **_: watchdog.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: watchdog.stop(), weak=False)


def _configure_logging(log_format: LogFormat) -> None:
    configure_logging(log_format)
    # Celery logs each message; the tasks log events of their own.
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
