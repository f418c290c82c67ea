"""What the job record, the queue, the workers and the storage say of themselves, read when somebody asks."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.observability.worker_reports import lately, newest_model
from jobs.files.storage import Storage
from jobs.job import TERMINAL, State
from jobs.ports.job_store import JobStore, WorkerReport
from jobs.ports.stats import Stats
from jobs.queue.task_queue import TaskQueue

log = logging.getLogger(__name__)

_DAY_S = 86_400.0


class StoreCollector(Collector):
    """Figures of the whole installation: every API that shares a record gives the same ones."""

    def __init__(self, store: JobStore, messages: TaskQueue, storage: Storage) -> None:
        self._store = store
        self._messages = messages
        self._storage = storage

    def describe(self) -> list[Metric]:
        """Nothing: by default, registering would read the record."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What can be had; `spinelabel_record_up` says whether the record answered."""
        try:
            began = time.perf_counter()
            stats, depths = self._store.stats(), self._messages.depths()
            reports, live = self._store.workers(within_s=_DAY_S), lately(self._store)
            took = time.perf_counter() - began
        except Exception as error:  # every adapter has errors of its own
            log.warning("the record cannot be measured: %s", error)
            yield _gauge("spinelabel_record_up", "Whether the job record answers.", 0)
        else:
            yield _gauge("spinelabel_record_up", "Whether the job record answers.", 1)
            yield _gauge("spinelabel_record_read_seconds", "How long these figures took.", took)
            yield from _jobs(stats)
            yield from _rows(stats)
            yield _by(
                "spinelabel_queue_messages",
                "Messages that wait to be taken.",
                "queue",
                {name.removeprefix("spinelabel."): depth for name, depth in depths.items()},
            )
            yield from _workers(stats, reports, live)
            yield from _memory(stats)
        yield from self._free_space()

    def _free_space(self) -> Iterator[Metric]:
        try:
            free = self._storage.free_bytes()
        except OSError as error:
            log.warning("the storage cannot be measured: %s", error)
            return
        if free is not None:
            yield _gauge("spinelabel_storage_free_bytes", "Bytes free in the storage.", free)


def _jobs(stats: Stats) -> Iterator[Metric]:
    states = [state for state in State if state not in TERMINAL]
    yield _by(
        "spinelabel_jobs",
        "Jobs that have not ended.",
        "state",
        {state: stats.open_jobs.get(state, 0) for state in states},
    )
    yield _by(
        "spinelabel_job_standstill_seconds",
        "Of the job in this state that has stood still for longest: seconds since its last chunk or its change of state.",
        "state",
        {state: stats.standstill_s.get(state, 0.0) for state in states},
    )
    ended = CounterMetricFamily("spinelabel_jobs_ended", "Jobs that have ended.", labels=["state"])
    for state in sorted(TERMINAL):
        ended.add_metric([state], stats.ended_jobs.get(state, 0))
    yield ended
    yield _gauge("spinelabel_uploads", "Uploads under way.", stats.uploads)
    yield _gauge(
        "spinelabel_callbacks_due",
        "Ended jobs whose caller is still to be told.",
        stats.callbacks_due,
    )


def _rows(stats: Stats) -> Iterator[Metric]:
    rows = CounterMetricFamily(
        "spinelabel_rows", "Rows whose outcome was committed.", labels=["outcome"]
    )
    rows.add_metric(["labelled"], stats.rows_labelled)
    rows.add_metric(["failed"], stats.rows_failed)
    yield rows
    yield CounterMetricFamily(
        "spinelabel_rows_to_review",
        "Rows that a person should look at.",
        value=stats.rows_to_review,
    )
    yield _gauge(
        "spinelabel_labels_remembered",
        "Texts whose labels the cache holds.",
        stats.labels_remembered,
    )


def _workers(
    stats: Stats, reports: Sequence[WorkerReport], live: Sequence[WorkerReport]
) -> Iterator[Metric]:
    reached = sum(report.model is not None for report in live)
    yield _by(
        "spinelabel_workers",
        "Workers that have reported lately, by whether they reach a model they can use.",
        "model",
        {"reached": reached, "missing": len(live) - reached},
    )
    if reports:
        newest = max(report.reported_at for report in reports)
        yield _gauge(
            "spinelabel_worker_report_age_seconds",
            "Seconds since any worker last reported; missing when none has for a day.",
            max(0.0, stats.read_at - newest),
        )
    if (model := newest_model(live)) is not None:
        yield _gauge(
            "spinelabel_model_version",
            "The newest version that a worker reaches; missing when none reaches any.",
            cast(int, model["version"]),
        )


def _memory(stats: Stats) -> Iterator[Metric]:
    yield _gauge(
        "spinelabel_redis_memory_bytes", "Memory that Redis uses for data.", stats.memory_bytes
    )
    yield _gauge(
        "spinelabel_redis_memory_limit_bytes",
        "Memory at which Redis refuses to take more; 0 for no limit.",
        stats.memory_limit_bytes,
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
