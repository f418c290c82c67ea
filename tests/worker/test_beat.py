"""Periodic tasks are scheduled by the monotonic clock."""

from __future__ import annotations

import time

from jobs.queue.task_queue import RECOVER_TASK
from worker.celery_app import make_app
from worker.settings import WorkerSettings


def test_periodic_tasks_are_due_by_the_monotonic_clock() -> None:
    app = make_app(WorkerSettings(recovery_interval_s=0.05))
    schedule = app.conf.beat_schedule[RECOVER_TASK]["schedule"]
    last = schedule.now()
    assert abs(last.timestamp() - time.monotonic()) < 10
    time.sleep(0.06)
    assert schedule.is_due(last).is_due
    assert not schedule.is_due(schedule.now()).is_due
