"""The worker's Celery app: registers the tasks and schedules the periodic ones."""

from __future__ import annotations

import functools
import gc
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from celery import Celery, signals
from celery.schedules import schedule
from structlog.contextvars import bound_contextvars

from jobs.errors import JobNotFound
from jobs.outage import is_outage, refusal
from jobs.queue.celery_app import make_celery
from jobs.queue.task_queue import (
    ASSEMBLE_TASK,
    CLEAN_TASK,
    CONTROL_QUEUE,
    EXPIRE_TASK,
    FORGET_TASK,
    LABEL_REQUEST_TASK,
    LABEL_TASK,
    ORPHANS_TASK,
    PLAN_TASK,
    RECOVER_TASK,
)
from jobs.queue.weighted_cycle import QueueTurns
from worker.dependencies import (
    Services,
    connect,
    connect_worker_registry,
    webhook_sender,
)
from worker.liveness.progress import ProgressMark, start_progress_reporter
from worker.liveness.status_reporter import start_status_reporter
from worker.settings import WorkerSettings
from worker.tasks.assemble import assemble_job
from worker.tasks.clean_storage import clean_storage
from worker.tasks.delete_orphans import delete_orphans
from worker.tasks.expire_jobs import expire_jobs
from worker.tasks.forget_jobs import forget_jobs
from worker.tasks.label import label_chunk
from worker.tasks.label_request import process_label_request
from worker.tasks.plan import plan_job
from worker.tasks.recover_jobs import recover_jobs
from worker.webhooks.sender import start_sending

log = structlog.get_logger(__name__)

# A periodic message that is not consumed in time is superseded by later ones. The limit is loose,
# because the clocks of beat and workers may differ.
_PERIODIC_EXPIRES_S = 60.0


def _monotonic_now() -> datetime:
    # Beat compares its schedule with this clock. If the wall clock were set back by an hour,
    # nothing would be due for an hour.
    return datetime.fromtimestamp(time.monotonic(), UTC)


def make_app(settings: WorkerSettings) -> Celery:
    """An app with its tasks and the schedule of the periodic ones. Does not connect yet."""
    app = make_celery(settings.broker_url)
    # One set per process: neither gRPC channels nor Redis connections survive a fork.
    # Only the mark of progress is shared, so it is made before the fork.
    progress = ProgressMark()
    services = functools.cache(lambda: connect(settings, app, progress))
    app.conf.broker_transport_options["queue_order_strategy"] = functools.partial(
        QueueTurns, on_wait=progress.touch
    )
    # Each has a message of its own, so that none can stop or delay another.
    periods_s = {
        RECOVER_TASK: settings.recovery_interval_s,
        EXPIRE_TASK: settings.recovery_interval_s,
        CLEAN_TASK: settings.cleanup_interval_s,
        ORPHANS_TASK: settings.orphan_cleanup_interval_s,
        FORGET_TASK: settings.cleanup_interval_s,
    }
    app.conf.beat_schedule = {
        task: {
            "task": task,
            "schedule": schedule(timedelta(seconds=period_s), nowfun=_monotonic_now),
            "options": {"queue": CONTROL_QUEUE, "expires": _PERIODIC_EXPIRES_S},
        }
        for task, period_s in periods_s.items()
    }
    _register(app, services)

    def begin_process(**_: Any) -> None:
        # Exempts everything imported so far from garbage collection. Raising the thresholds as well
        # saved a little more, but memory then grew by 10 MB with each catalogue.
        gc.freeze()
        start_status_reporter(services(), name=socket.gethostname())
        start_sending(webhook_sender(services()), threads=settings.webhook_threads)

    def begin_worker(**_: Any) -> None:
        workers = connect_worker_registry(settings)
        start_progress_reporter(workers, socket.gethostname(), progress)

    def progressed(**_: Any) -> None:
        progress.touch()

    # In the processes of the pool, as they begin, and around each task.
    signals.worker_process_init.connect(begin_process, weak=False)
    signals.task_prerun.connect(progressed, weak=False)
    signals.task_postrun.connect(progressed, weak=False)
    # In the main process, once it consumes.
    signals.worker_ready.connect(begin_worker, weak=False)
    return app


@contextmanager
def _log_outages(consequence: str) -> Iterator[None]:
    """Log an outage of Redis that ends the block, without a traceback. Other errors propagate."""
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("task_interrupted", error=refusal(error) or error, consequence=consequence)


def _register(app: Celery, services: Callable[[], Services]) -> None:
    def run(step: Any, job_id: str, *chunk: int) -> None:
        context: dict[str, Any] = {"job_id": job_id}
        if chunk:
            context["chunk"] = chunk[0]
        with bound_contextvars(**context):
            try:
                with _log_outages("recovery enqueues the step again"):
                    step(services(), job_id, *chunk)
            except JobNotFound:
                log.info("task_skipped", reason="the job was deleted")

    @app.task(name=PLAN_TASK, shared=False)
    def plan(job_id: str) -> None:
        run(plan_job, job_id)

    @app.task(name=LABEL_TASK, shared=False)
    def label(job_id: str, index: int) -> None:
        run(label_chunk, job_id, index)

    @app.task(name=ASSEMBLE_TASK, shared=False)
    def assemble(job_id: str) -> None:
        run(assemble_job, job_id)

    @app.task(name=LABEL_REQUEST_TASK, shared=False)
    def label_now(request_id: str) -> None:
        with (
            bound_contextvars(label_request_id=request_id),
            _log_outages("the label request gets no response"),
        ):
            process_label_request(services(), request_id)

    def periodic(name: str, work: Callable[[Services], None]) -> None:
        @app.task(name=name, shared=False)
        def run_once() -> None:
            with bound_contextvars(task=name), _log_outages("the next run does the work"):
                work(services())

    periodic(RECOVER_TASK, recover_jobs)
    periodic(EXPIRE_TASK, expire_jobs)
    periodic(CLEAN_TASK, clean_storage)
    periodic(ORPHANS_TASK, delete_orphans)
    periodic(FORGET_TASK, forget_jobs)
