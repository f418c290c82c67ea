"""The job record in this process's memory, for unit tests; passes the same contract suite as Redis."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from jobs.errors import IllegalTransition, JobNotFound, LeaseLost, TooManyOpenJobs, UploadLost
from jobs.job import (
    LABELLING,
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
from jobs.memory.idempotency import MemoryIdempotencyStore
from jobs.memory.webhooks import MemoryWebhookStore
from jobs.ports.idempotency import IdempotencyStore, KeyCompletion
from jobs.ports.job_store import (
    ASSEMBLE,
    LONGEST_LEASE_S,
    PLAN,
    UPLOAD_LOST_AFTER_S,
    UPLOAD_REFUSED_FOR_S,
    Claim,
    Commit,
    JobStore,
    Missing,
    WorkerReport,
    label_step,
)
from jobs.ports.stats import Stats

_PLANNING = frozenset({State.QUEUED, State.VALIDATING, State.IN_PROGRESS})
_ENDING = frozenset({State.FINALIZING, State.CANCELLING})


@dataclass(frozen=True)
class _Part:
    labelled: int
    failed: int
    seal: str
    genres: Counter[str]
    to_review: int


@dataclass
class _Record:
    new: NewJob
    state: State
    times: dict[State, float]
    chunks: list[Chunk] = field(default_factory=list)
    done: dict[int, _Part] = field(default_factory=dict)
    labelled: int = 0
    failed: int = 0
    planned: bool = False
    handed: int = 0
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
    released: dict[str, int] = field(default_factory=dict)  # step → newest fence given back
    sent: dict[str, float] = field(default_factory=dict)

    def move(self, state: State, now: float) -> None:
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.new.id, self.state, state)
        self.state = state
        self.times[state] = now

    def is_held(self, step: str, now: float, lease_s: float) -> bool:
        # A longer lease was given before the clock was put back.
        return now < self.leases.get(step, 0) <= now + lease_s + 1

    def is_due(self, step: str) -> bool:
        if step == PLAN:
            return not self.planned and self.state in _PLANNING
        if step == ASSEMBLE:
            return self.state in _ENDING
        index = _index(step)
        return self.state in LABELLING and index < len(self.chunks) and index not in self.done


def _index(step: str) -> int:
    return int(step.rpartition("/")[2])


class MemoryJobStore(JobStore):
    """Jobs in a dictionary behind one lock; `clock` returns Unix seconds."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        callbacks: MemoryWebhookStore | None = None,
        corrections: MemoryCorrectionStore | None = None,
    ) -> None:
        self._clock = clock
        self._callbacks = callbacks or MemoryWebhookStore(clock)
        self._corrections = corrections or MemoryCorrectionStore()
        self._lock = threading.Lock()
        self._records: dict[str, _Record] = {}
        self._requests = MemoryIdempotencyStore(clock)
        self._reports: dict[str, WorkerReport] = {}
        self._uploads: dict[str, float] = {}
        self._rows: Counter[str] = Counter()
        self._ended: Counter[State] = Counter()

    @contextmanager
    def _open(self, job_id: str) -> Iterator[_Record]:
        with self._lock:
            if job_id not in self._records:
                raise JobNotFound(job_id)
            yield self._records[job_id]

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[_Record]:
        with self._lock:
            record = self._records.get(claim.job_id)
            if record is None or record.fences.get(claim.step) != claim.fence:
                raise LeaseLost(claim.job_id, claim.step)
            if not record.is_due(claim.step):
                raise LeaseLost(claim.job_id, claim.step)
            yield record

    @property
    def requests(self) -> IdempotencyStore:
        return self._requests

    def announce_upload(self, job_id: str) -> None:
        with self._lock:
            self._check_upload(job_id)
            self._uploads[job_id] = 0.0

    def forget_upload(self, job_id: str) -> None:
        with self._lock:
            self._uploads.pop(job_id, None)

    def lost_uploads(self, *, silent_s_more: float) -> Sequence[str]:
        latest = UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S
        with self._lock:
            silences = {i: silent + silent_s_more for i, silent in self._uploads.items()}
            self._uploads = {i: silent for i, silent in silences.items() if silent < latest}
            return [i for i, silent in self._uploads.items() if silent >= UPLOAD_LOST_AFTER_S]

    def _check_upload(self, job_id: str) -> None:
        if self._uploads.get(job_id, 0) >= UPLOAD_LOST_AFTER_S:
            raise UploadLost(job_id)

    def create(
        self, job: NewJob, *, most_open: int | None = None, settlement: KeyCompletion | None = None
    ) -> Job:
        now = self._clock()
        with self._lock:
            if job.id in self._records:
                return self._snapshot(self._records[job.id])
            self._check_upload(job.id)
            most = None if job.owner is None else most_open
            if most is not None and self._open_jobs(job.owner) >= most:
                raise TooManyOpenJobs(most)
            if settlement is not None:
                self._requests.settle(settlement, job.id)
            record = _Record(new=job, state=State.QUEUED, times={State.QUEUED: now})
            record.sent[PLAN] = now
            self._records[job.id] = record
            self._uploads.pop(job.id, None)
        self._corrections.begin(job.id)
        return self.get(job.id)

    def get(self, job_id: str) -> Job:
        with self._open(job_id) as record:
            return self._snapshot(record)

    def layout(self, job_id: str) -> Mapping[str, object]:
        with self._open(job_id) as record:
            if record.files_deleted is not None:
                raise JobNotFound(job_id)
            return record.new.layout

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        with self._lock:
            ids = [
                job_id
                for job_id, record in reversed(self._records.items())
                if owner is None or record.new.owner == owner
            ]
            if before is not None and before not in ids:
                raise JobNotFound(before)
            first = ids.index(before) + 1 if before is not None else 0
            return [self._snapshot(self._records[i]) for i in ids[first : first + limit]]

    def open_jobs(self, owner: str) -> int:
        with self._lock:
            return self._open_jobs(owner)

    def _open_jobs(self, owner: str | None) -> int:
        theirs = [record for record in self._records.values() if record.new.owner == owner]
        return sum(record.state not in TERMINAL for record in theirs)

    def active(self) -> Sequence[str]:
        with self._lock:
            jobs = [self._snapshot(record) for record in self._records.values()]
        return sorted(job.id for job in jobs if not job.is_terminal)

    def delete(self, job_id: str) -> None:
        with self._open(job_id) as record:
            if not self._snapshot(record).is_terminal:
                raise IllegalTransition(job_id, record.state, "deleted")
            del self._records[job_id]
        self._callbacks.forget(job_id)
        self._corrections.forget(job_id)

    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        with self._open(job_id) as record:
            now = self._clock()
            if not record.is_due(step) or record.is_held(step, now, lease_s):
                return None
            record.fence += 1
            record.fences[step] = record.fence
            record.attempts[step] = record.attempts.get(step, 0) + 1
            record.leases[step] = now + lease_s
            return Claim(
                job_id=job_id, step=step, fence=record.fence, attempt=record.attempts[step]
            )

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        with self._held(claim) as record:
            record.leases[claim.step] = self._clock() + lease_s

    def release(self, claim: Claim) -> None:
        with self._lock:
            record = self._records.get(claim.job_id)
            if record is None or claim.step not in record.attempts:
                return
            if record.released.get(claim.step, 0) >= claim.fence:
                return
            record.released[claim.step] = claim.fence
            record.attempts[claim.step] -= 1
            if record.fences.get(claim.step) == claim.fence:
                self._drop(record, claim.step)

    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        with self._held(claim) as record:
            if record.state is State.QUEUED:
                record.move(State.VALIDATING, self._clock())
            if record.model is None:
                record.model = model
            return record.model

    def planned_chunks(self, job_id: str) -> Sequence[Chunk]:
        with self._open(job_id) as record:
            return tuple(sorted(record.chunks, key=lambda chunk: chunk.start))

    def chunk(self, job_id: str, index: int) -> Chunk:
        with self._open(job_id) as record:
            if index >= len(record.chunks):
                raise KeyError(f"job {job_id} has no chunk {index}")
            return record.chunks[index]

    def add_chunks(
        self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int
    ) -> Commit:
        with self._held(claim) as record:
            if record.state is State.QUEUED:  # the model comes first
                raise LeaseLost(claim.job_id, claim.step)
            known = len(record.chunks)
            record.chunks += [chunk for chunk in chunks if chunk.index >= known]
            if record.state is State.VALIDATING and record.chunks:
                record.move(State.IN_PROGRESS, self._clock())
            if last:
                record.planned = True
                self._drop(record, claim.step)
            return self._advance(record, window)

    def commit_chunk(
        self,
        claim: Claim,
        index: int,
        *,
        labelled: int,
        failed: int,
        seal: str,
        window: int,
        genres: Mapping[str, int] | None = None,
        to_review: int = 0,
    ) -> Commit:
        with self._held(claim) as record:
            record.done[index] = _Part(labelled, failed, seal, Counter(genres or {}), to_review)
            record.newest = index
            record.labelled += labelled
            record.failed += failed
            self._rows.update(labelled=labelled, failed=failed, to_review=to_review)
            record.progress = self._clock()
            self._drop(record, claim.step)
            record.sent.pop(claim.step, None)
            return self._advance(record, window)

    def split_chunk(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        with self._held(claim) as record:
            if not record.planned or right.index != len(record.chunks):
                raise LeaseLost(claim.job_id, claim.step)
            record.chunks[left.index] = left
            record.chunks.append(right)
            record.attempts[claim.step] = record.attempts[label_step(right.index)] = attempts
            self._drop(record, claim.step)
            record.sent[claim.step] = self._clock()
            further = self._advance(record, window)
            return Commit(dispatch_chunks=(*further.dispatch_chunks, left.index), last=False)

    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        with self._held(claim) as record:
            for steps in (record.fences, record.leases, record.sent, record.attempts):
                for step in [step for step in steps if step not in (PLAN, ASSEMBLE)]:
                    del steps[step]
            record.done.clear()
            record.labelled = record.failed = record.handed = 0
            record.model = model
            return self._advance(record, window)

    def committed_chunks(self, job_id: str) -> Mapping[int, str]:
        with self._open(job_id) as record:
            return {index: part.seal for index, part in record.done.items()}

    def latest_chunk_output(self, job_id: str) -> tuple[Chunk, str] | None:
        with self._lock:
            record = self._records.get(job_id)
            if record is None or record.newest not in record.done or record.state in TERMINAL:
                return None
            return record.chunks[record.newest], record.done[record.newest].seal

    def reopen_chunks(self, claim: Claim, indices: Sequence[int]) -> Commit:
        with self._held(claim) as record:
            now = self._clock()
            self._drop(record, claim.step)
            again = record.ending is State.COMPLETED
            for index in indices:
                if (part := record.done.pop(index, None)) is not None:
                    record.labelled -= part.labelled
                    record.failed -= part.failed
                record.attempts.pop(label_step(index), None)
            if not again:
                record.sent[ASSEMBLE] = now
                return Commit(dispatch_chunks=(), last=True)
            record.sent.pop(ASSEMBLE, None)
            record.sent.update(dict.fromkeys(map(label_step, indices), now))
            record.ending = None
            record.state = State.IN_PROGRESS
            record.times.pop(State.FINALIZING, None)
            return Commit(dispatch_chunks=tuple(indices), last=False)

    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        with self._open(job_id) as record:
            if record.state in _PLANNING:
                via = State.CANCELLING if ending is State.CANCELLED else State.FINALIZING
                self._start_ending(record, via, ending)
                record.failure = failure
        return self.get(job_id)

    def finish(self, claim: Claim) -> Job:
        if self._was_finished_by(claim):
            return self.get(claim.job_id)
        with self._held(claim) as record:
            assert record.ending is not None  # whoever made assembly due chose it
            record.move(record.ending, self._clock())
            record.finished_by, record.ended = claim.fence, self._snapshot(record)
            self._ended[record.ending] += 1
            for steps in (record.fences, record.leases, record.attempts, record.sent):
                steps.clear()
            record.chunks.clear()
            record.done.clear()
            if record.new.callback is not None:
                self._callbacks.schedule(claim.job_id)
        return self.get(claim.job_id)

    def _was_finished_by(self, claim: Claim) -> bool:
        with self._lock:
            record = self._records.get(claim.job_id)
            return record is not None and record.finished_by == claim.fence

    def jobs_past_retention(
        self, *, ended_s_ago: float, limit: int, skip: int = 0
    ) -> Sequence[str]:
        return self._ended_before(ended_s_ago, with_files=True)[skip : skip + limit]

    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        return self._ended_before(ended_s_ago, with_files=False)[:limit]

    def _ended_before(self, ended_s_ago: float, *, with_files: bool) -> list[str]:
        with self._lock:
            latest = self._clock() - ended_s_ago
            ended = sorted(
                (record.times[record.state], job_id)
                for job_id, record in self._records.items()
                if record.state in TERMINAL and (record.files_deleted is None) is with_files
            )
        return [job_id for at, job_id in ended if at <= latest]

    def files_deleted(self, job_id: str) -> None:
        with self._open(job_id) as record:
            if record.files_deleted is None:
                record.files_deleted = self._clock()
        self._corrections.forget(job_id)

    def missing(self, job_id: str, *, idle_s: float, lease_s: float = LONGEST_LEASE_S) -> Missing:
        with self._open(job_id) as record:
            now = self._clock()
            gone = [step for step in record.leases if not record.is_held(step, now, lease_s)]
            idle = [
                step
                for step, at in record.sent.items()
                if at <= now - idle_s or at > now + 1 or step in gone
            ]
            steps = [
                step
                for step in idle
                if record.is_due(step) and not record.is_held(step, now, lease_s)
            ]
            for step in gone:
                del record.leases[step]
            record.sent.update(dict.fromkeys(steps, now))
            return Missing(
                plan=PLAN in steps,
                assemble=ASSEMBLE in steps,
                chunks=tuple(sorted(_index(s) for s in steps if s not in (PLAN, ASSEMBLE))),
            )

    def report_worker(self, name: str, model: Mapping[str, object] | None) -> None:
        self._reports[name] = WorkerReport(name=name, reported_at=self._clock(), model=model)

    def workers(self, *, within_s: float) -> Sequence[WorkerReport]:
        now = self._clock()
        return [r for r in self._reports.values() if now - r.reported_at <= within_s]

    def stats(self) -> Stats:
        with self._lock:
            now = self._clock()
            records = [r for r in self._records.values() if r.state not in TERMINAL]
            still: dict[State, float] = {}
            for r in records:
                moved = max(r.times[r.state], r.progress or 0.0)
                still[r.state] = max(still.get(r.state, 0.0), now - moved)
            return Stats(
                open_jobs=Counter(r.state for r in records),
                seconds_since_progress=still,
                ended_jobs=dict(self._ended),
                rows_labelled=self._rows["labelled"],
                rows_failed=self._rows["failed"],
                rows_to_review=self._rows["to_review"],
                uploads=len(self._uploads),
                webhooks_pending=self._callbacks.scheduled(),
                cached_predictions=0,
                memory_bytes=0,
                memory_limit_bytes=0,
                read_at=now,
            )

    def ping(self) -> None:
        """Memory is always there."""

    @staticmethod
    def _drop(record: _Record, step: str) -> None:
        record.fences.pop(step, None)
        record.leases.pop(step, None)

    def _start_ending(self, record: _Record, via: State, ending: State) -> None:
        now = self._clock()
        record.move(via, now)
        record.ending = ending
        record.sent[ASSEMBLE] = now

    def _advance(self, record: _Record, window: int) -> Commit:
        if record.planned and len(record.done) == len(record.chunks):
            self._start_ending(record, State.FINALIZING, State.COMPLETED)
            return Commit(dispatch_chunks=(), last=True)
        first, now = record.handed, self._clock()
        while record.handed < len(record.chunks) and record.handed - len(record.done) < window:
            record.sent[label_step(record.handed)] = now
            record.handed += 1
        return Commit(dispatch_chunks=tuple(range(first, record.handed)), last=False)

    def _snapshot(self, record: _Record) -> Job:
        if record.ended is not None:
            now, deleted = self._clock(), record.files_deleted
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
            to_review=sum(part.to_review for part in record.done.values()),
            genre_counts=dict(sum((part.genres for part in record.done.values()), Counter())),
            planned=record.planned,
            chunks=len(record.chunks),
            chunks_done=len(record.done),
            model=record.model,
            failure=record.failure,
            ending=record.ending,
            error_threshold=record.new.error_threshold,
            review_threshold=record.new.review_threshold,
            owner=record.new.owner,
            callback=record.new.callback,
            extras=record.new.extras,
            neutralise_formulas=record.new.neutralise_formulas,
            files_deleted_at=record.files_deleted,
            state_times=dict(record.times),
            last_progress_at=record.progress,
            read_at=self._clock(),
        )
