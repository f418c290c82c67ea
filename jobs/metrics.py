"""Metrics of the workers' work, and the fields under which stores count them.

Workers come, go and are killed, so they count in the store, in the atomic steps that change the job
record. A counter is one field. A histogram has a field for each bucket and one for its sum in
microseconds, so that all increments are whole numbers. A bucket's field counts the observations of
that bucket alone; `Histogram` accumulates them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

StepKind = Literal["plan", "label", "assemble"]
STEP_KINDS: tuple[StepKind, ...] = ("plan", "label", "assemble")
ModelCall = Literal["predict", "explain"]
MODEL_CALLS: tuple[ModelCall, ...] = ("predict", "explain")

# Genres that are counted by name; rows of further ones are counted as `OTHER_GENRES`. A model names
# as many genres as it likes, and each is a series.
MAX_GENRES = 200
OTHER_GENRES = "other"

# Upper bounds of the buckets in seconds. Each histogram has one more bucket, without a bound.
CHUNK_DURATION_BOUNDS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
MODEL_CALL_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
QUEUE_WAIT_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

_CHUNK_DURATION = "chunk_duration"
_CACHE_HITS, _CACHE_MISSES = "prediction_cache:hit", "prediction_cache:miss"


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Observed durations."""

    # Upper bound in seconds → number of observations up to it; the last bound is infinite.
    cumulative: tuple[tuple[float, int], ...]
    sum_s: float

    @property
    def count(self) -> int:
        """Number of observations."""
        return self.cumulative[-1][1]


@dataclass(frozen=True, kw_only=True)
class ChunkMetrics:
    """What is counted of a chunk once, when it is committed."""

    duration_s: float  # from its claim to its commit
    model_calls_s: Mapping[ModelCall, Sequence[float]]  # durations in seconds
    cache_hits: int  # different texts that were in the prediction cache
    cache_misses: int

    def increments(self) -> Counter[str]:
        """Field → by how much it grows."""
        fields = Counter({_CACHE_HITS: self.cache_hits, _CACHE_MISSES: self.cache_misses})
        fields += observations(_CHUNK_DURATION, CHUNK_DURATION_BOUNDS_S, [self.duration_s])
        for call, durations_s in self.model_calls_s.items():
            fields += observations(f"model_call:{call}", MODEL_CALL_BOUNDS_S, durations_s)
        return fields


@dataclass(frozen=True, kw_only=True)
class WorkerMetrics:
    """All of it since the store was created. Counters only grow."""

    labelled_rows: Mapping[str, int]  # by genre
    row_errors: Mapping[str, int]  # failed rows by error code
    chunk_duration: Histogram
    model_calls: Mapping[ModelCall, Histogram]
    # From the time when a step was enqueued last until it was claimed.
    queue_wait: Mapping[StepKind, Histogram]
    retries: Mapping[StepKind, int]  # claims of steps that had been claimed before
    lease_losses: Mapping[StepKind, int]  # leases that expired before their step was done
    cache_hits: int
    cache_misses: int
    webhook_attempts: Mapping[str, int]  # by outcome

    @classmethod
    def of(cls, fields: Mapping[str, int], *, labelled_rows: Mapping[str, int]) -> WorkerMetrics:
        """From the fields of a store, which has none for what has not happened yet."""

        def group(name: str) -> dict[str, int]:
            prefix = f"{name}:"
            return {
                field.removeprefix(prefix): count
                for field, count in fields.items()
                if field.startswith(prefix)
            }

        return cls(
            labelled_rows=dict(labelled_rows),
            row_errors=group("row_errors"),
            chunk_duration=_histogram(fields, _CHUNK_DURATION, CHUNK_DURATION_BOUNDS_S),
            model_calls={
                call: _histogram(fields, f"model_call:{call}", MODEL_CALL_BOUNDS_S)
                for call in MODEL_CALLS
            },
            queue_wait={
                kind: _histogram(fields, queue_wait(kind), QUEUE_WAIT_BOUNDS_S)
                for kind in STEP_KINDS
            },
            retries={kind: fields.get(retries(kind), 0) for kind in STEP_KINDS},
            lease_losses={kind: fields.get(lease_losses(kind), 0) for kind in STEP_KINDS},
            cache_hits=fields.get(_CACHE_HITS, 0),
            cache_misses=fields.get(_CACHE_MISSES, 0),
            webhook_attempts=group("webhook_attempts"),
        )


def step_kind(step: str) -> str:
    """The kind of a step: `label` for `label/7`."""
    return step.partition("/")[0]


def queue_wait(kind: str) -> str:
    """The histogram of how long steps of this kind wait in the queue."""
    return f"queue_wait:{kind}"


def retries(kind: str) -> str:
    """The field that counts further claims of steps of this kind."""
    return f"retries:{kind}"


def lease_losses(kind: str) -> str:
    """The field that counts expired leases of steps of this kind."""
    return f"lease_losses:{kind}"


def webhook_attempts(outcome: str) -> str:
    """The field that counts webhook attempts with this outcome."""
    return f"webhook_attempts:{outcome}"


def row_error_increments(errors: Mapping[str, int]) -> Counter[str]:
    """The increments for failed rows, given by error code."""
    return Counter({f"row_errors:{code}": rows for code, rows in errors.items()})


def observations(name: str, bounds_s: Sequence[float], seconds: Iterable[float]) -> Counter[str]:
    """The increments of a histogram for these durations."""
    fields: Counter[str] = Counter()
    for duration_s in seconds:
        bucket = bisect_left(bounds_s, duration_s)
        bound_s = bounds_s[bucket] if bucket < len(bounds_s) else math.inf
        fields[_bucket(name, bound_s)] += 1
        fields[f"{name}:sum_us"] += round(duration_s * 1e6)
    return fields


def bounds_text(bounds_s: Sequence[float]) -> str:
    """Bounds as they are written in the names of fields, separated by spaces."""
    return " ".join(f"{bound:g}" for bound in bounds_s)


def _bucket(name: str, bound_s: float) -> str:
    return f"{name}:{bound_s:g}"


def _histogram(fields: Mapping[str, int], name: str, bounds_s: Sequence[float]) -> Histogram:
    count, cumulative = 0, []
    for bound_s in (*bounds_s, math.inf):
        count += fields.get(_bucket(name, bound_s), 0)
        cumulative.append((bound_s, count))
    return Histogram(cumulative=tuple(cumulative), sum_s=fields.get(f"{name}:sum_us", 0) / 1e6)
