"""Jobs: a frozen snapshot of the record, the states and their transitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from catalogue.parsing.schema import CatalogueSchema
from jobs.options import NO_OPTIONS, JobOptions


class State(StrEnum):
    """State of a job. `TERMINAL` states do not change."""

    QUEUED = "queued"
    VALIDATING = "validating"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.VALIDATING, State.FINALIZING, State.CANCELLING}),
    State.VALIDATING: frozenset({State.IN_PROGRESS, State.FINALIZING, State.CANCELLING}),
    State.IN_PROGRESS: frozenset({State.FINALIZING, State.CANCELLING}),
    # Back to labelling if a chunk output is corrupt.
    State.FINALIZING: frozenset({State.COMPLETED, State.FAILED, State.EXPIRED, State.IN_PROGRESS}),
    State.CANCELLING: frozenset({State.CANCELLED}),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
}

TERMINAL = frozenset(state for state, targets in TRANSITIONS.items() if not targets)


@dataclass(frozen=True, kw_only=True)
class RowCounts:
    """Rows by outcome; `labelled + failed + pending == total` always holds."""

    total: int = 0
    labelled: int = 0
    failed: int = 0

    @property
    def pending(self) -> int:
        """Rows without an outcome, of those counted so far."""
        return self.total - self.labelled - self.failed

    @property
    def processed(self) -> int:
        """Rows with a label or an error."""
        return self.labelled + self.failed


class PinnedModel(NamedTuple):
    """The model that every row of a job is labelled with.

    The version alone does not identify a model: other tools may reuse a version number.
    """

    version: int  # the version number that the model server uses
    digest: str  # of the model's description when the job was pinned


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed: a stable code, and a message that says what to do."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Whole records of the input, by byte range [start, end)."""

    index: int
    start: int
    end: int
    first_row: int  # 1-based data row number of the first record
    rows: int  # data rows, blank lines not counted


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """A job to be created."""

    id: str
    filename: str
    input_bytes: int
    schema: CatalogueSchema
    summary_column: str = ""  # column names for display; the schema has them in full
    title_column: str | None = None  # None: titles are not used
    owner: str | None = None  # None: created without authentication
    options: JobOptions = NO_OPTIONS


@dataclass(frozen=True, kw_only=True)
class Job:
    """A snapshot of a job's record. Times are Unix seconds by the store's clock.

    A few hundred bytes, however many columns the catalogue has: see `JobRepository.schema`.
    """

    id: str
    state: State
    filename: str
    input_bytes: int
    summary_column: str
    title_column: str | None
    row_counts: RowCounts
    genre_counts: Mapping[str, int]  # labelled rows by genre; they add up to `row_counts.labelled`
    error_counts: Mapping[str, int]  # failed rows by error code; they add up to `row_counts.failed`
    to_review: int  # rows so far, labelled or not, that need review
    planned: bool  # planning is complete, so `total` is final
    chunks: int  # chunks planned so far
    chunks_done: int
    model: PinnedModel | None  # None: planning has not begun
    failure: Failure | None
    ending: State | None  # the terminal state that assembly will publish
    owner: str | None = None
    options: JobOptions = NO_OPTIONS
    files_deleted_at: float | None = None  # when retention deleted input and result
    state_times: Mapping[State, float] = field(default_factory=dict)
    last_progress_at: float | None = None
    read_at: float = 0.0

    @property
    def is_terminal(self) -> bool:
        """Whether the state is terminal."""
        return self.state in TERMINAL

    @property
    def model_version(self) -> int | None:
        """The version number of the model that the job is pinned to."""
        return self.model.version if self.model is not None else None

    @property
    def has_files(self) -> bool:
        """Whether result and error list exist: assembly publishes both before the job ends."""
        return self.is_terminal and self.files_deleted_at is None

    @property
    def age_s(self) -> float:
        """Seconds since the job was queued; 0 if the clock was set back."""
        return max(self.read_at - self.state_times[State.QUEUED], 0.0)

    @property
    def too_many_failed(self) -> bool:
        """Whether failed rows exceed the threshold; fewer than 100 rows count as 100."""
        counts, threshold = self.row_counts, self.options.error_threshold
        return threshold is not None and counts.failed > threshold * max(counts.processed, 100)

    @property
    def rows_per_second(self) -> float | None:
        """Mean rate since labelling began, measured up to the last committed chunk."""
        started_at = self.state_times.get(State.IN_PROGRESS)
        if started_at is None or self.last_progress_at is None or not self.row_counts.processed:
            return None
        return self.row_counts.processed / max(self.last_progress_at - started_at, 1e-3)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds until the last row at the present rate; None if unknown."""
        rate = self.rows_per_second
        if self.state is not State.IN_PROGRESS or not self.planned or rate is None:
            return None
        assert self.last_progress_at is not None  # a rate implies a commit
        since_commit = self.read_at - self.last_progress_at
        return max(self.row_counts.pending / rate - since_commit, 0.0)
