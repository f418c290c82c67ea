"""Jobs in memory."""

from __future__ import annotations

from collections.abc import Sequence

from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import IllegalTransition, JobNotFound, TooManyOpenJobs
from jobs.job import TERMINAL, Failure, Job, NewJob, State
from jobs.memory.record.state import PLANNING, JobRecord, MemoryState
from jobs.ports.record.idempotency import KeyCompletion
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.record.step_leases import PLAN


class MemoryJobRepository(JobRepository):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        now = self._state.clock()
        with self._state.lock:
            if job.id in self._state.records:
                return self._state.snapshot(self._state.records[job.id])
            self._state.check_upload(job.id)
            limit = None if job.owner is None else max_open
            if limit is not None and self._state.count_open(job.owner) >= limit:
                raise TooManyOpenJobs(limit)
            if completion is not None:
                self._state.idempotency.complete(completion, job.id)
            record = JobRecord(new=job, state=State.QUEUED, times={State.QUEUED: now})
            record.sent[PLAN] = now
            self._state.records[job.id] = record
            self._state.uploads.pop(job.id, None)
        self._state.corrections.begin(job.id)
        return self.get(job.id)

    def get(self, job_id: str) -> Job:
        with self._state.open(job_id) as record:
            return self._state.snapshot(record)

    def schema(self, job_id: str) -> CatalogueSchema:
        with self._state.open(job_id) as record:
            if record.files_deleted is not None:
                raise JobNotFound(job_id)
            return record.new.schema

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        with self._state.lock:
            ids = [
                job_id
                for job_id, record in reversed(self._state.records.items())
                if owner is None or record.new.owner == owner
            ]
            if before is not None and before not in ids:
                raise JobNotFound(before)
            first = ids.index(before) + 1 if before is not None else 0
            return [
                self._state.snapshot(self._state.records[i]) for i in ids[first : first + limit]
            ]

    def count_open(self, owner: str) -> int:
        with self._state.lock:
            return self._state.count_open(owner)

    def active_ids(self) -> Sequence[str]:
        with self._state.lock:
            jobs = [self._state.snapshot(record) for record in self._state.records.values()]
        return sorted(job.id for job in jobs if not job.is_terminal)

    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        with self._state.open(job_id) as record:
            if record.state in PLANNING:
                via = State.CANCELLING if ending is State.CANCELLED else State.FINALIZING
                self._state.start_ending(record, via, ending)
                record.failure = failure
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        with self._state.open(job_id) as record:
            if not self._state.snapshot(record).is_terminal:
                raise IllegalTransition(job_id, record.state, "deleted")
            del self._state.records[job_id]
        self._state.webhooks.forget(job_id)
        self._state.corrections.forget(job_id)

    def past_retention(self, *, ended_s_ago: float, limit: int, skip: int = 0) -> Sequence[str]:
        return self._ended_before(ended_s_ago, with_files=True)[skip : skip + limit]

    def mark_files_deleted(self, job_id: str) -> None:
        with self._state.open(job_id) as record:
            if record.files_deleted is None:
                record.files_deleted = self._state.clock()
        self._state.corrections.forget(job_id)

    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        return self._ended_before(ended_s_ago, with_files=False)[:limit]

    def ping(self) -> None:
        """Memory is always reachable."""

    def _ended_before(self, ended_s_ago: float, *, with_files: bool) -> list[str]:
        with self._state.lock:
            latest = self._state.clock() - ended_s_ago
            ended = sorted(
                (record.times[record.state], job_id)
                for job_id, record in self._state.records.items()
                if record.state in TERMINAL and (record.files_deleted is None) is with_files
            )
        return [job_id for at, job_id in ended if at <= latest]
