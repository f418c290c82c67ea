"""The worker's settings, read once per process at its composition root."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from jobs.ports.record.step_leases import MAX_LEASE_S
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from jobs.settings import JobSettings

# For the rest of a step: reading, parsing and writing one chunk.
_STEP_MARGIN_S = 20.0


class WorkerSettings(JobSettings):
    """`SPINELABEL_*`: the model server, sizes of chunks and batches, timeouts and retention."""

    model_target: str = Field(
        "127.0.0.1:8500",
        description="gRPC target of the model server; dns:///NAME:PORT balances over all "
        "addresses, "
        "unix:PATH is a Unix socket.",
    )
    model_name: str = Field("genre", description="Model folder below the server's model root.")
    model_deadline_s: PositiveFloat = Field(
        30.0, description="Timeout of one call of the model server, in seconds."
    )
    model_retry_budget_s: PositiveFloat = Field(
        10.0, description="How long a task retries a failed call of the model server, in seconds."
    )
    concurrency: PositiveInt = Field(2, description="Pool processes of one worker.")
    chunk_rows: PositiveInt = Field(
        2000,
        description="Maximum rows of a chunk; four times as many if most predictions are cached.",
    )
    chunk_bytes: PositiveInt = Field(
        2_000_000,
        description="Maximum size of a chunk, in bytes; multiplied like SPINELABEL_CHUNK_ROWS.",
    )
    max_queued_chunks_per_job: PositiveInt = Field(
        6, description="Maximum chunks of one job in the queues at a time."
    )
    batch_rows: PositiveInt = Field(256, description="Maximum texts per call of the model server.")
    batch_tokens: PositiveInt = Field(
        32_768, description="Maximum tokens per call of the model server, padding included."
    )
    max_requests_in_flight: PositiveInt = Field(
        2, description="Maximum concurrent calls of the model server per chunk."
    )
    prediction_cache_max_entries: NonNegativeInt = Field(
        500_000,
        description="Maximum entries of the prediction cache, about 120 bytes of Redis each; "
        "0 disables it.",
    )
    prediction_cache_ttl_s: PositiveFloat = Field(
        60 * 86_400.0, description="Lifetime of an entry of the prediction cache, in seconds."
    )
    lease_s: PositiveFloat = Field(
        6.0,
        le=MAX_LEASE_S,
        description="Lease of a claimed step, in seconds; without renewal another worker may "
        "claim it.",
    )
    recovery_interval_s: PositiveFloat = Field(
        2.0, description="Interval of the search for abandoned steps and expired jobs, in seconds."
    )
    cleanup_interval_s: PositiveFloat = Field(
        10.0,
        description="Interval of the deletion of files and records past retention, in seconds.",
    )
    orphan_cleanup_interval_s: PositiveFloat = Field(
        6 * 3600.0,
        description="Interval of the search for job folders without a record, in seconds.",
    )
    orphan_min_age_s: float = Field(
        2 * 86_400.0,
        ge=UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S,
        description="Minimum time since the last change in an orphaned job folder before its "
        "deletion, in seconds.",
    )
    consumer_timeout_s: PositiveFloat = Field(
        10.0, description="Time without consuming messages after which a worker exits, in seconds."
    )
    max_attempts: PositiveInt = Field(
        3,
        description="Worker crashes that a chunk may cause before it is split to isolate the row "
        "at fault.",
    )
    job_deadline_s: PositiveFloat = Field(
        86_400.0,
        description="Maximum duration of a job, in seconds; then it expires and keeps its labelled "
        "rows.",
    )
    retention_s: PositiveFloat = Field(
        30 * 86_400.0, description="Time from a job's end to the deletion of its files, in seconds."
    )
    record_retention_s: PositiveFloat = Field(
        90 * 86_400.0,
        description="Time from a job's end to the deletion of its record, in seconds; never before "
        "its files.",
    )
    webhook_timeout_s: PositiveFloat = Field(
        10.0, description="Timeout of one webhook call, in seconds."
    )
    webhook_retry_delays_s: tuple[NonNegativeFloat, ...] = Field(
        (5.0, 60.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0),
        description="Delays before further attempts of a webhook in seconds, as a JSON list.",
    )
    webhook_threads: PositiveInt = Field(
        4, description="Maximum concurrent webhook calls per worker process."
    )

    @property
    def max_step_s(self) -> float:
        """Longest time between two marks of progress in a task, in seconds: a call of the model
        server with its retries, and a margin.
        """
        return 2 * self.model_deadline_s + self.model_retry_budget_s + _STEP_MARGIN_S
