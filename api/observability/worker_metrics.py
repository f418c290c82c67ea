"""Metrics of the workers' work in Prometheus's terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from catalogue.labelled.labels import RowErrorCode
from jobs.metrics import Histogram, WorkerMetrics
from jobs.ports.webhooks import Outcome


def worker_metrics(metrics: WorkerMetrics) -> Iterator[Metric]:
    """Every metric. Series whose labels are known are there before anything is counted."""
    yield counters(
        "spinelabel_labelled_rows",
        "Committed rows with a label, by genre.",
        "genre",
        metrics.labelled_rows.items(),
    )
    yield counters(
        "spinelabel_row_errors",
        "Committed rows without a label, by error code.",
        "code",
        [(code, metrics.row_errors.get(code, 0)) for code in RowErrorCode],
    )
    yield _histograms(
        "spinelabel_chunk_duration_seconds",
        "Time from the claim of a chunk to its commit, of committed chunks.",
        [("", metrics.chunk_duration)],
    )
    yield _histograms(
        "spinelabel_model_call_duration_seconds",
        "Duration of calls of the model server for committed chunks, failed calls included.",
        metrics.model_calls.items(),
        label="call",
    )
    yield _histograms(
        "spinelabel_queue_wait_seconds",
        "Time from the enqueueing of a step to its claim.",
        metrics.queue_wait.items(),
        label="step",
    )
    yield counters(
        "spinelabel_step_retries",
        "Claims of steps that had been claimed before.",
        "step",
        metrics.retries.items(),
    )
    yield counters(
        "spinelabel_lease_losses",
        "Leases that expired before their step was done: their worker died, stopped or lost Redis.",
        "step",
        metrics.lease_losses.items(),
    )
    yield counters(
        "spinelabel_prediction_cache_lookups",
        "Different texts of each committed chunk, by whether the prediction cache had them.",
        "result",
        [("hit", metrics.cache_hits), ("miss", metrics.cache_misses)],
    )
    yield counters(
        "spinelabel_webhook_attempts",
        "Recorded webhook attempts by outcome.",
        "outcome",
        [(outcome, metrics.webhook_attempts.get(outcome, 0)) for outcome in get_args(Outcome)],
    )


def counters(name: str, text: str, label: str, values: Iterable[tuple[str, int]]) -> Metric:
    """A counter with one label: `values` has the label's value and the count of each series."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


def _histograms(
    name: str, text: str, histograms: Iterable[tuple[str, Histogram]], *, label: str | None = None
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=[label] if label else [])
    for key, histogram in histograms:
        family.add_metric(
            [key] if label else [],
            buckets=[(_bound(bound), count) for bound, count in histogram.cumulative],
            sum_value=histogram.sum_s,
        )
    return family


def _bound(seconds: float) -> str:
    return "+Inf" if math.isinf(seconds) else str(seconds)
