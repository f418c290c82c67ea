"""The job store, restricted to the jobs that the current caller may access."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from api.auth.caller import Caller, caller
from api.jobs.snapshot_cache import SnapshotCache
from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import JobNotFound, TooManyOpenJobs
from jobs.job import Chunk, Job, NewJob, State
from jobs.ports.job_store import JobStore
from jobs.ports.record.idempotency import IdempotencyStore, KeyCompletion
from jobs.ports.record.worker_registry import WorkerRegistry


class ScopedJobStore:
    """The job store for routes. Methods raise `JobNotFound` for jobs of other owners.

    Routes get this and not the store, so that no route can forget the check.
    """

    def __init__(
        self,
        store: JobStore,
        get_caller: Callable[[], Caller] = caller,
        snapshots: SnapshotCache | None = None,
    ) -> None:
        self._store = store
        self._caller = get_caller
        self._snapshots = snapshots or SnapshotCache()

    def for_caller(self, caller: Caller) -> ScopedJobStore:
        """Return the store of a fixed caller, for use outside the request context."""
        return ScopedJobStore(self._store, lambda: caller, self._snapshots)

    def ping(self) -> None:
        """Raise the store's own error if it cannot be reached."""
        self._store.jobs.ping()

    def get(self, job_id: str) -> Job:
        """Read a snapshot of the job."""
        requested_at = self._snapshots.now()
        return self._check(
            self._snapshots.put(self._store.jobs.get(job_id), requested_at=requested_at)
        )

    def get_cached(self, job_id: str) -> Job:
        """Like `get`, but an unfinished job may come from the `SnapshotCache`."""
        cached = self._snapshots.get(job_id)
        return self.get(job_id) if cached is None else self._check(cached)

    def _check(self, job: Job) -> Job:
        if not self._caller().can_access(job.owner):
            raise JobNotFound(job.id)
        return job

    def schema(self, job: Job) -> CatalogueSchema:
        """Return the schema of a job's catalogue.

        Raises `JobNotFound` also if its files were deleted.
        """
        return self._store.jobs.schema(self._check(job).id)

    def latest_chunk_output(self, job_id: str) -> tuple[Chunk, str] | None:
        """See `ChunkLedger.latest_output`."""
        self.get(job_id)
        return self._store.chunks.latest_output(job_id)

    def newest(self, *, limit: int, before: str | None = None) -> Sequence[Job]:
        """List the caller's jobs, newest first; for admins, the jobs of all owners."""
        owner = None if self._caller().is_admin else self._caller().owner
        requested_at = self._snapshots.now()
        jobs = self._store.jobs.newest(limit=limit, before=before, owner=owner)
        return [self._snapshots.put(job, requested_at=requested_at) for job in jobs]

    @property
    def workers(self) -> WorkerRegistry:
        """The reports of workers, which have no owner."""
        return self._store.workers

    @property
    def idempotency(self) -> IdempotencyStore:
        """The idempotency keys; their names include the owner."""
        return self._store.idempotency

    def ensure_quota(self) -> None:
        """Raise `TooManyOpenJobs` before a long upload, if its job would be refused."""
        owner, limit = self._caller().owner, self._caller().open_jobs
        if owner is not None and limit is not None and self._store.jobs.count_open(owner) >= limit:
            raise TooManyOpenJobs(limit)

    def touch_upload(self, job_id: str) -> None:
        """See `UploadRegistry.touch`."""
        self._store.uploads.touch(job_id)

    def forget_upload(self, job_id: str) -> None:
        """See `UploadRegistry.forget`."""
        self._store.uploads.forget(job_id)

    def create(self, job: NewJob, *, completion: KeyCompletion | None = None) -> Job:
        """Create a job of the caller. Raises `TooManyOpenJobs`, `IdempotencyKeyLost`."""
        return self._store.jobs.create(
            replace(job, owner=self._caller().owner),
            max_open=self._caller().open_jobs,
            completion=completion,
        )

    def end(self, job_id: str, ending: State) -> Job:
        """See `JobRepository.end`."""
        self.get(job_id)
        requested_at = self._snapshots.now()
        return self._snapshots.put(self._store.jobs.end(job_id, ending), requested_at=requested_at)

    def delete(self, job_id: str) -> None:
        """See `JobRepository.delete`."""
        self.get(job_id)
        self._store.jobs.delete(job_id)
