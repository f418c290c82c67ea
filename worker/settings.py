"""The worker's settings, read once per process at its composition root."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from jobs.ports.record.step_leases import MAX_LEASE_S
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S, UPLOAD_REFUSED_FOR_S
from jobs.settings import JobSettings

# For what a step does beside calling the model: read, parse and write one chunk.
_STEP_MARGIN_S = 20.0


class WorkerSettings(JobSettings):
    """`SPINELABEL_*`: where the model is, how work is cut, how long things may take."""

    model_target: str = Field(
        "127.0.0.1:8500",
        description="gRPC address of the model server; dns:///NAME:PORT balances, unix:PATH is a socket of this machine.",
    )
    model_name: str = Field("genre", description="Model folder below the server's model root.")
    model_deadline_s: PositiveFloat = Field(30.0, description="Longest one prediction may take.")
    model_retry_budget_s: PositiveFloat = Field(
        10.0, description="How long a task waits for a model server that is away before it yields."
    )
    concurrency: PositiveInt = Field(2, description="Pool processes of one worker.")
    chunk_rows: PositiveInt = Field(
        2000,
        description="Most rows of one chunk; of a catalogue that was mostly labelled before, four times as many.",
    )
    chunk_bytes: PositiveInt = Field(
        2_000_000, description="A chunk is cut after so many bytes; see CHUNK_ROWS."
    )
    max_queued_chunks_per_job: PositiveInt = Field(
        6, description="Most chunks of one job in the queue at a time."
    )
    batch_rows: PositiveInt = Field(256, description="Most texts of one prediction.")
    batch_tokens: PositiveInt = Field(
        32_768, description="Most tokens of one prediction, padding included."
    )
    max_requests_in_flight: PositiveInt = Field(2, description="Predictions under way per chunk.")
    prediction_cache_max_entries: NonNegativeInt = Field(
        500_000,
        description="Most texts whose labels are remembered, in Redis at some 120 bytes each; 0 for none.",
    )
    prediction_cache_ttl_s: PositiveFloat = Field(
        60 * 86_400.0, description="A label is remembered no longer than this."
    )
    lease_s: PositiveFloat = Field(
        6.0,
        le=MAX_LEASE_S,
        description="A step whose holder is silent for so long is given to another.",
    )
    recovery_interval_s: PositiveFloat = Field(
        2.0, description="How often abandoned steps and jobs over their deadline are looked for."
    )
    cleanup_interval_s: PositiveFloat = Field(
        10.0, description="How often files that are no longer kept are looked for and deleted."
    )
    orphan_cleanup_interval_s: PositiveFloat = Field(
        6 * 3600.0, description="How often folders of jobs that no record knows are looked for."
    )
    orphan_min_age_s: float = Field(
        2 * 86_400.0,
        ge=UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S,
        description="Such a folder is deleted when nothing in it has changed for so long.",
    )
    consumer_timeout_s: PositiveFloat = Field(
        10.0, description="A worker that does not listen for messages for so long ends itself."
    )
    max_attempts: PositiveInt = Field(
        3,
        description="Worker crashes that a chunk may cause before it is split to isolate the row at fault.",
    )
    job_deadline_s: PositiveFloat = Field(
        86_400.0, description="A job that takes longer expires and keeps what was finished."
    )
    retention_s: PositiveFloat = Field(
        30 * 86_400.0, description="Input and result are deleted so long after a job's end."
    )
    record_retention_s: PositiveFloat = Field(
        90 * 86_400.0,
        description="A job is forgotten so long after its end, at the earliest when its files are deleted.",
    )
    webhook_timeout_s: PositiveFloat = Field(
        10.0, description="How long a receiver may take to answer a callback."
    )
    webhook_retry_delays_s: tuple[NonNegativeFloat, ...] = Field(
        (5.0, 60.0, 600.0, 3600.0, 4 * 3600.0, 12 * 3600.0, 24 * 3600.0),
        description="Waits before further attempts to call back, as a JSON list.",
    )
    webhook_threads: PositiveInt = Field(
        4, description="Receivers that one worker process calls at a time."
    )

    @property
    def max_step_s(self) -> float:
        """Longest time between two steps of a task: a call of the model with its retries, and more."""
        return 2 * self.model_deadline_s + self.model_retry_budget_s + _STEP_MARGIN_S
