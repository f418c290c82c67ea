"""The port to jobs: create, read, end and delete them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from catalogue.parsing.schema import CatalogueSchema
from jobs.job import Failure, Job, NewJob, State
from jobs.ports.record.idempotency import KeyCompletion


class JobRepository(ABC):
    """Jobs by id. Each method is atomic. Raises `JobNotFound` for an unknown id."""

    @abstractmethod
    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        """Record a new job as `queued`, end its upload, and complete its idempotency key.

        Repeating the call with the same job has no effect, so it is safe after a lost reply.

        Raises `TooManyOpenJobs` if the owner has `max_open` jobs that are not terminal,
        `IdempotencyKeyLost`, `UploadLost`.
        """

    @abstractmethod
    def get(self, job_id: str) -> Job:
        """A snapshot of the job."""

    @abstractmethod
    def schema(self, job_id: str) -> CatalogueSchema:
        """The schema of the catalogue. Raises `JobNotFound` also when the files are deleted."""

    @abstractmethod
    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        """Jobs, newest first, starting after job `before`; with `owner`, only that owner's jobs."""

    @abstractmethod
    def count_open(self, owner: str) -> int:
        """Number of the owner's jobs that are not terminal."""

    @abstractmethod
    def active_ids(self) -> Sequence[str]:
        """Ids of all jobs that are not terminal."""

    @abstractmethod
    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        """Stop labelling and choose the terminal state, which assembly publishes.

        A job that is ending or has ended is returned unchanged.
        """

    @abstractmethod
    def delete(self, job_id: str) -> None:
        """Delete a terminal job and all its data. Raises `IllegalTransition` for other jobs.

        A completed idempotency key is kept, so that a late retry does not create the job again.
        """

    @abstractmethod
    def past_retention(self, *, ended_s_ago: float, limit: int, skip: int = 0) -> Sequence[str]:
        """Ids of at most `limit` jobs that have files and ended at least `ended_s_ago` seconds ago.

        Ordered by their end, oldest first. `skip` omits jobs whose files could not be deleted.
        """

    @abstractmethod
    def mark_files_deleted(self, job_id: str) -> None:
        """Record that the files are deleted. Deletes the schema and the corrections as well."""

    @abstractmethod
    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        """Ids of at most `limit` jobs without files that ended at least `ended_s_ago` ago."""

    @abstractmethod
    def ping(self) -> None:
        """Raise the store's own error unless it is reachable and accepts writes."""
