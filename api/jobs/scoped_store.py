"""The jobs as the present caller sees them: others' jobs are not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from api.auth.caller import Caller, caller
from api.jobs.snapshot_cache import SnapshotCache
from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import JobNotFound, TooManyOpenJobs
from jobs.job import Chunk, Job, NewJob, State
from jobs.ports.idempotency import IdempotencyStore, KeyCompletion
from jobs.ports.job_store import JobStore
from jobs.ports.worker_registry import WorkerRegistry


class ScopedJobStore:
    """What routes may do with the job record. Each method raises `JobNotFound` for a job of somebody else.

    Routes are given this and not the store, so that none of them can forget to look whose job it is.
    """

    def __init__(
        self,
        store: JobStore,
        who: Callable[[], Caller] = caller,
        recent: SnapshotCache | None = None,
    ) -> None:
        self._store = store
        self._who = who
        self._recent = recent or SnapshotCache()

    def of(self, who: Caller) -> ScopedJobStore:
        """The same for what goes on after the request has been served."""
        return ScopedJobStore(self._store, lambda: who, self._recent)

    def ping(self) -> None:
        """Raises the store's own error when it cannot be reached."""
        self._store.jobs.ping()

    def get(self, job_id: str) -> Job:
        """A snapshot of the job."""
        asked_at = self._recent.now()
        return self._seen(self._recent.note(self._store.jobs.get(job_id), asked_at=asked_at))

    def look(self, job_id: str) -> Job:
        """Like `get`, for a mere look: while the job has not ended, it may be a moment old. See `SnapshotCache`."""
        recent = self._recent.find(job_id)
        return self.get(job_id) if recent is None else self._seen(recent)

    def _seen(self, job: Job) -> Job:
        if not self._who().can_access(job.owner):
            raise JobNotFound(job.id)
        return job

    def layout(self, job: Job) -> CatalogueSchema:
        """The layout of a job that was read before. Raises `JobNotFound` also when its files are deleted."""
        return CatalogueSchema.from_dict(self._store.jobs.layout(self._seen(job).id))

    def latest_chunk_output(self, job_id: str) -> tuple[Chunk, str] | None:
        """See `ChunkLedger.latest_output`."""
        self.get(job_id)
        return self._store.chunks.latest_output(job_id)

    def newest(self, *, limit: int, before: str | None = None) -> Sequence[Job]:
        """The caller's jobs, newest first; an admin's list holds everybody's."""
        owner = None if self._who().is_admin else self._who().owner
        asked_at = self._recent.now()
        found = self._store.jobs.newest(limit=limit, before=before, owner=owner)
        return [self._recent.note(job, asked_at=asked_at) for job in found]

    @property
    def workers(self) -> WorkerRegistry:
        """The reports of workers, which have no owner."""
        return self._store.workers

    @property
    def idempotency(self) -> IdempotencyStore:
        """The keys of requests that may be repeated; their names say whose they are."""
        return self._store.idempotency

    def ensure_quota(self) -> None:
        """Raises `TooManyOpenJobs` if one more job would be refused now: better before a long upload than after it."""
        owner, most = self._who().owner, self._who().open_jobs
        if owner is not None and most is not None and self._store.jobs.count_open(owner) >= most:
            raise TooManyOpenJobs(most)

    def announce_upload(self, job_id: str) -> None:
        """See `UploadRegistry.touch`."""
        self._store.uploads.touch(job_id)

    def forget_upload(self, job_id: str) -> None:
        """See `UploadRegistry.forget`."""
        self._store.uploads.forget(job_id)

    def create(self, job: NewJob, *, completion: KeyCompletion | None = None) -> Job:
        """Record a new job as the caller's. Raises `TooManyOpenJobs`, `IdempotencyKeyLost`."""
        return self._store.jobs.create(
            replace(job, owner=self._who().owner),
            max_open=self._who().open_jobs,
            completion=completion,
        )

    def end(self, job_id: str, ending: State) -> Job:
        """See `JobRepository.end`."""
        self.get(job_id)
        asked_at = self._recent.now()
        return self._recent.note(self._store.jobs.end(job_id, ending), asked_at=asked_at)

    def delete(self, job_id: str) -> None:
        """See `JobRepository.delete`."""
        self.get(job_id)
        self._store.jobs.delete(job_id)
