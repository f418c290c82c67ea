"""The state that the in-memory adapters of one job record share."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from jobs.errors import IllegalTransition, JobNotFound, LeaseLost, UploadLost
from jobs.job import (
    TERMINAL,
    TRANSITIONS,
    Chunk,
    Failure,
    Job,
    NewJob,
    PinnedModel,
    RowCounts,
    State,
)
from jobs.memory.corrections import MemoryCorrectionStore
from jobs.memory.record.idempotency import MemoryIdempotencyStore
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.metrics import MAX_GENRES, OTHER_GENRES
from jobs.ports.record.chunk_ledger import Commit
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.ports.record.worker_registry import WorkerReport

PLANNING = frozenset({State.QUEUED, State.VALIDATING, State.IN_PROGRESS})
ENDING = frozenset({State.FINALIZING, State.CANCELLING})


@dataclass(frozen=True)
class Output:
    """A committed chunk."""

    labelled: int
    failed: int
    manifest: str
    genres: Counter[str]
    errors: Counter[str]
    to_review: int


@dataclass
class JobRecord:
    """The record of one job; callers hold the lock."""

    new: NewJob
    state: State
    times: dict[State, float]
    chunks: list[Chunk] = field(default_factory=list)
    done: dict[int, Output] = field(default_factory=dict)
    labelled: int = 0
    failed: int = 0
    planned: bool = False
    dispatched: int = 0
    newest: int = -1  # the chunk that was committed last
    fence: int = 0
    model: PinnedModel | None = None
    failure: Failure | None = None
    ending: State | None = None
    progress: float | None = None
    files_deleted: float | None = None
    finished_by: int | None = None  # the fence of the claim that ended the job
    ended: Job | None = None  # the job as it ended; chunks and claims are gone then
    fences: dict[str, int] = field(default_factory=dict)
    leases: dict[str, float] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)  # step → newest fence released
    sent: dict[str, float] = field(default_factory=dict)

    def move(self, state: State, now: float) -> None:
        """Change the state. Raises `IllegalTransition`."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.new.id, self.state, state)
        self.state = state
        self.times[state] = now

    def is_held(self, step: str, now: float, lease_s: float) -> bool:
        """Whether the step has a valid lease."""
        # A longer lease was granted before the clock was put back.
        return now < self.leases.get(step, 0) <= now + lease_s + 1

    def drop(self, step: str) -> None:
        """Drop the claim on a step."""
        self.fences.pop(step, None)
        self.leases.pop(step, None)

    def is_due(self, step: str) -> bool:
        """Whether the step may be claimed in the present state."""
        if step == PLAN:
            return not self.planned and self.state in PLANNING
        if step == ASSEMBLE:
            return self.state in ENDING
        index = index_of(step)
        return (
            self.state is State.IN_PROGRESS and index < len(self.chunks) and index not in self.done
        )


def index_of(step: str) -> int:
    """The chunk of a labelling step."""
    return int(step.rpartition("/")[2])


class MemoryState:
    """Records in dictionaries behind one lock; `clock` returns Unix seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        webhooks: MemoryWebhookStore | None = None,
        corrections: MemoryCorrectionStore | None = None,
    ) -> None:
        self.clock = clock
        self.webhooks = webhooks or MemoryWebhookStore(clock)
        self.corrections = corrections or MemoryCorrectionStore()
        self.idempotency = MemoryIdempotencyStore(clock)
        self.lock = threading.Lock()
        self.records: dict[str, JobRecord] = {}
        self.reports: dict[str, WorkerReport] = {}
        self.worker_progress: dict[str, float] = {}  # name → when it last made progress
        self.uploads: dict[str, float] = {}  # seconds of silence
        self.row_totals: Counter[str] = Counter()
        self.ended_totals: Counter[State] = Counter()
        self.metrics: Counter[str] = Counter()
        self.genre_rows: Counter[str] = Counter()

    @contextmanager
    def open(self, job_id: str) -> Iterator[JobRecord]:
        """The record, under the lock. Raises `JobNotFound`."""
        with self.lock:
            if job_id not in self.records:
                raise JobNotFound(job_id)
            yield self.records[job_id]

    @contextmanager
    def claimed(self, claim: Claim) -> Iterator[JobRecord]:
        """The record, under the lock. Raises `LeaseLost`."""
        with self.lock:
            record = self.records.get(claim.job_id)
            if record is None or record.fences.get(claim.step) != claim.fence:
                raise LeaseLost(claim.job_id, claim.step)
            if not record.is_due(claim.step):
                raise LeaseLost(claim.job_id, claim.step)
            yield record

    def check_upload(self, job_id: str) -> None:
        """Raise `UploadLost` for a lost upload."""
        if self.uploads.get(job_id, 0) >= UPLOAD_LOST_AFTER_S:
            raise UploadLost(job_id)

    def count_genres(self, rows: Mapping[str, int]) -> None:
        """Add labelled rows by genre to the metrics."""
        for genre, number in rows.items():
            is_new = genre not in self.genre_rows
            named = OTHER_GENRES if is_new and len(self.genre_rows) >= MAX_GENRES else genre
            self.genre_rows[named] += number

    def count_open(self, owner: str | None) -> int:
        """Number of the owner's jobs that are not terminal."""
        theirs = [record for record in self.records.values() if record.new.owner == owner]
        return sum(record.state not in TERMINAL for record in theirs)

    def start_ending(self, record: JobRecord, via: State, ending: State) -> None:
        """Make assembly due, which will publish `ending`."""
        now = self.clock()
        record.move(via, now)
        record.ending = ending
        record.sent[ASSEMBLE] = now

    def dispatch(self, record: JobRecord, window: int) -> Commit:
        """Make the next chunks within the window due, or assembly when every chunk is done."""
        if record.planned and len(record.done) == len(record.chunks):
            self.start_ending(record, State.FINALIZING, State.COMPLETED)
            return Commit(dispatch_chunks=(), last=True)
        first, now = record.dispatched, self.clock()
        while (
            record.dispatched < len(record.chunks) and record.dispatched - len(record.done) < window
        ):
            record.sent[label_step(record.dispatched)] = now
            record.dispatched += 1
        return Commit(dispatch_chunks=tuple(range(first, record.dispatched)), last=False)

    def snapshot(self, record: JobRecord) -> Job:
        """The job as of now."""
        if record.ended is not None:
            now, deleted = self.clock(), record.files_deleted
            return replace(record.ended, files_deleted_at=deleted, read_at=now)
        return Job(
            id=record.new.id,
            state=record.state,
            filename=record.new.filename,
            input_bytes=record.new.input_bytes,
            summary_column=record.new.summary_column,
            title_column=record.new.title_column,
            row_counts=RowCounts(
                total=sum(chunk.rows for chunk in record.chunks),
                labelled=record.labelled,
                failed=record.failed,
            ),
            to_review=sum(output.to_review for output in record.done.values()),
            genre_counts=dict(sum((output.genres for output in record.done.values()), Counter())),
            error_counts=dict(sum((output.errors for output in record.done.values()), Counter())),
            planned=record.planned,
            chunks=len(record.chunks),
            chunks_done=len(record.done),
            model=record.model,
            failure=record.failure,
            ending=record.ending,
            owner=record.new.owner,
            options=record.new.options,
            files_deleted_at=record.files_deleted,
            state_times=dict(record.times),
            last_progress_at=record.progress,
            read_at=self.clock(),
        )
