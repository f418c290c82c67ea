"""Metrics of the job store, queues, workers and storage, read at each scrape."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.observability.worker_metrics import counters, worker_metrics
from api.observability.worker_reports import live_reports, newest_model
from jobs.files.storage import Storage
from jobs.job import TERMINAL, State
from jobs.ports.job_store import JobStore
from jobs.ports.record.stats import Stats
from jobs.ports.record.worker_registry import WorkerReport
from jobs.queue.task_queue import TaskQueue

log = structlog.get_logger(__name__)

_DAY_S = 86_400.0


class StoreCollector(Collector):
    """Metrics of the whole installation; every API that shares a store reports the same values."""

    def __init__(self, store: JobStore, task_queue: TaskQueue, storage: Storage) -> None:
        self._store = store
        self._task_queue = task_queue
        self._storage = storage

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering the collector does not read the store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric that can be read; `spinelabel_store_up` is 0 while Redis is down."""
        try:
            began = time.perf_counter()
            stats, depths = self._store.stats.read(), self._task_queue.depths()
            work = self._store.metrics.read()
            reports, live = (
                self._store.workers.active(within_s=_DAY_S),
                live_reports(self._store.workers),
            )
            duration_s = time.perf_counter() - began
        except Exception as error:  # each adapter raises its own errors
            log.warning("store_metrics_unavailable", error=error)
            yield _gauge("spinelabel_store_up", "1 if the job store (Redis) answers, else 0.", 0)
        else:
            yield _gauge("spinelabel_store_up", "1 if the job store (Redis) answers, else 0.", 1)
            yield _gauge(
                "spinelabel_store_scrape_duration_seconds",
                "Time to read the metrics of the store.",
                duration_s,
            )
            yield from _jobs(stats)
            yield from _rows(stats)
            yield _by(
                "spinelabel_queue_messages",
                "Messages waiting in the queue.",
                "queue",
                {name.removeprefix("spinelabel."): depth for name, depth in depths.items()},
            )
            yield from _workers(stats, reports, live)
            yield from worker_metrics(work)
            yield from _memory(stats)
        yield from self._free_space()

    def _free_space(self) -> Iterator[Metric]:
        try:
            free = self._storage.free_bytes()
        except OSError as error:
            log.warning("free_space_unavailable", error=error)
            return
        if free is not None:
            yield _gauge("spinelabel_storage_free_bytes", "Free bytes in the storage.", free)


def _jobs(stats: Stats) -> Iterator[Metric]:
    states = [state for state in State if state not in TERMINAL]
    yield _by(
        "spinelabel_jobs",
        "Unfinished jobs by state.",
        "state",
        {state: stats.open_jobs.get(state, 0) for state in states},
    )
    yield _by(
        "spinelabel_job_seconds_since_progress",
        "Seconds since the least recently active job in this state made progress.",
        "state",
        {state: stats.seconds_since_progress.get(state, 0.0) for state in states},
    )
    yield counters(
        "spinelabel_jobs_ended",
        "Ended jobs by final state.",
        "state",
        [(state, stats.ended_jobs.get(state, 0)) for state in sorted(TERMINAL)],
    )
    yield _gauge("spinelabel_uploads_in_progress", "Uploads being received.", stats.uploads)
    yield _gauge(
        "spinelabel_webhooks_pending",
        "Ended jobs whose webhook has not been delivered yet.",
        stats.webhooks_pending,
    )


def _rows(stats: Stats) -> Iterator[Metric]:
    yield counters(
        "spinelabel_rows",
        "Committed rows by outcome.",
        "outcome",
        [("labelled", stats.rows_labelled), ("failed", stats.rows_failed)],
    )
    yield CounterMetricFamily(
        "spinelabel_rows_to_review",
        "Committed rows that need review.",
        value=stats.rows_to_review,
    )
    yield _gauge(
        "spinelabel_prediction_cache_entries",
        "Entries in the prediction cache.",
        stats.cached_predictions,
    )


def _workers(
    stats: Stats, reports: Sequence[WorkerReport], live: Sequence[WorkerReport]
) -> Iterator[Metric]:
    reached = sum(report.model is not None for report in live)
    yield _by(
        "spinelabel_workers",
        "Live workers, by whether they reach a usable model.",
        "model",
        {"reached": reached, "missing": len(live) - reached},
    )
    if reports:
        newest = max(report.reported_at for report in reports)
        yield _gauge(
            "spinelabel_worker_report_age_seconds",
            "Seconds since the last report of any worker; absent after a day without reports.",
            max(0.0, stats.read_at - newest),
        )
    if (model := newest_model(live)) is not None:
        yield _gauge(
            "spinelabel_model_version",
            "Newest model version that a worker reaches; absent if there is none.",
            cast(int, model["version"]),
        )


def _memory(stats: Stats) -> Iterator[Metric]:
    yield _gauge(
        "spinelabel_redis_memory_bytes", "Memory used by Redis for data.", stats.memory_bytes
    )
    yield _gauge(
        "spinelabel_redis_memory_limit_bytes",
        "Memory limit of Redis, above which it refuses writes; 0: no limit.",
        stats.memory_limit_bytes,
    )


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
