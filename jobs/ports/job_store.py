"""The port to the job record.

Every method is one atomic step. Work on a job is divided into *steps* (`plan`, `label/7`, `assemble`); a
process claims a step for a bounded lease, renews it while it works, and its writes are accepted only
under the fence number that its claim was given. Whoever dies simply stops renewing: the step becomes
claimable again, and the dead claim's fence is refused from then on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.job import Chunk, Failure, Job, NewJob, PinnedModel, State
from jobs.ports.idempotency import IdempotencyStore, KeyCompletion
from jobs.ports.stats import Stats

PLAN = "plan"
ASSEMBLE = "assemble"
# A store may take a longer one for a sign that its clock was put back meanwhile.
LONGEST_LEASE_S = 60.0
# An upload of which nothing has been heard for so long is lost, and for so long afterwards nothing can become of it.
UPLOAD_LOST_AFTER_S = 3600.0
UPLOAD_REFUSED_FOR_S = 86_400.0


def label_step(index: int) -> str:
    """The name of the step that labels chunk `index`."""
    return f"label/{index}"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to work on one step until the lease runs out."""

    job_id: str
    step: str
    fence: int  # grows by one with every claim of any step of this job
    attempt: int  # how often this step has been claimed, this time included


@dataclass(frozen=True, kw_only=True)
class Commit:
    """What a committed step leads to."""

    dispatch_chunks: tuple[int, ...]  # chunks to send now
    last: bool  # every chunk is done: send the assembly


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Steps of a job that should be under way but that nobody holds."""

    plan: bool = False
    chunks: tuple[int, ...] = ()
    assemble: bool = False

    def __bool__(self) -> bool:
        return self.plan or self.assemble or bool(self.chunks)


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """What a worker last said of itself and of the model it reaches."""

    name: str
    reported_at: float  # Unix seconds by the store's clock
    model: Mapping[str, object] | None  # None: the model server does not answer


class JobStore(ABC):
    """Jobs and their progress. Raises `JobNotFound` for an unknown id."""

    @property
    @abstractmethod
    def requests(self) -> IdempotencyStore:
        """The keys of requests that may be repeated."""

    @abstractmethod
    def announce_upload(self, job_id: str) -> None:
        """Note that the input of a job to be is under way, or still is. Raises `UploadLost`."""

    @abstractmethod
    def forget_upload(self, job_id: str) -> None:
        """Note that an upload has come to nothing, and has left nothing."""

    @abstractmethod
    def lost_uploads(self, *, silent_s_more: float) -> Sequence[str]:
        """Ids of uploads whose process is gone: their files may be removed, and no job will be made of them any more.

        Args:
            silent_s_more: time since the last call. Silence is counted in these, so that neither a clock that is moved nor
                a time without anybody who calls makes a live upload a lost one.
        """

    @abstractmethod
    def create(
        self, job: NewJob, *, most_open: int | None = None, settlement: KeyCompletion | None = None
    ) -> Job:
        """Record a new job as `queued`; its upload is over. Settle the key of the request that makes it.

        May be called again with the same job when the reply was lost; it is made once.

        Raises `TooManyOpenJobs` when its owner has `most_open` jobs that are not terminal, `IdempotencyKeyLost`,
        `UploadLost`.
        """

    @abstractmethod
    def get(self, job_id: str) -> Job:
        """A snapshot of the job."""

    @abstractmethod
    def layout(self, job_id: str) -> Mapping[str, object]:
        """The layout that the job was made with. Raises `JobNotFound` also when its files are deleted."""

    @abstractmethod
    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        """Jobs, newest first, starting after job `before`; with `owner`, that owner's alone."""

    @abstractmethod
    def open_jobs(self, owner: str) -> int:
        """How many of the owner's jobs are not terminal."""

    @abstractmethod
    def active(self) -> Sequence[str]:
        """Ids of all jobs that are not terminal."""

    @abstractmethod
    def delete(self, job_id: str) -> None:
        """Forget a terminal job and all that was kept of it. Raises `IllegalTransition` for a job that is under way.

        A settled idempotency key outlives it, so that a late repetition does not make the job again.
        """

    @abstractmethod
    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        """Claim a step for at most `LONGEST_LEASE_S`, or None when it is done, not due, or held by somebody else."""

    @abstractmethod
    def renew(self, claim: Claim, *, lease_s: float) -> None:
        """Extend the lease. Raises `LeaseLost` when the claim no longer holds (cancelled, fenced off)."""

    @abstractmethod
    def release(self, claim: Claim) -> None:
        """Give an unfinished step back without counting the attempt, once for each claim.

        A claim whose lease ran out is uncounted as well: its holder could not renew it while the store was away.
        """

    @abstractmethod
    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        """`queued → validating`, pin the model. Returns the model pinned first.

        Raises `LeaseLost`.
        """

    @abstractmethod
    def planned_chunks(self, job_id: str) -> Sequence[Chunk]:
        """The chunks recorded so far, in the order of the input."""

    @abstractmethod
    def chunk(self, job_id: str, index: int) -> Chunk:
        """One recorded chunk. Raises `KeyError` when there is none."""

    @abstractmethod
    def add_chunks(
        self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int
    ) -> Commit:
        """Record chunks (the next ones in order) and add their rows to the total.

        The first one makes the job `in_progress`; `last` ends planning. Raises `LeaseLost`.
        """

    @abstractmethod
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
        """Mark a chunk done and add its counts, once. Raises `LeaseLost`.

        Args:
            genres: labelled rows by genre, for the job's tally.
            to_review: rows, labelled or not, that a person should look at.
            seal: what assembly needs to find and check the chunk's part; kept as it is.
        """

    @abstractmethod
    def split_chunk(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        """Replace the claimed chunk by its two halves, and release it.

        Args:
            left: keeps the chunk's index.
            right: has the index `Job.chunks`.
            attempts: what both halves count as claimed already.

        Raises `LeaseLost`, also while planning goes on; the chunk stays whole then.
        """

    @abstractmethod
    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        """Label the job from its first chunk with another model; no job mixes models.

        The claim is of a chunk or of planning, which keeps its claim; claims of chunks are lost. Raises `LeaseLost`.
        """

    @abstractmethod
    def committed_chunks(self, job_id: str) -> Mapping[int, str]:
        """The chunks whose parts are durable: index → seal."""

    @abstractmethod
    def latest_chunk_output(self, job_id: str) -> tuple[Chunk, str] | None:
        """The chunk that was committed last, and its seal; None if there is none, or not any more."""

    @abstractmethod
    def reopen_chunks(self, claim: Claim, indices: Sequence[int]) -> Commit:
        """Take back committed chunks whose parts were damaged; releases the claim, which is assembly's.

        A job that is otherwise complete goes back to labelling; one that ends early is to be assembled without
        them. Raises `LeaseLost`.
        """

    @abstractmethod
    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        """Stop labelling and move towards a terminal state, which assembly will publish.

        A job that is ending or has ended already is returned as it is.
        """

    @abstractmethod
    def finish(self, claim: Claim) -> Job:
        """Publish the terminal state that `end` or the last commit chose, and make its callback due.

        Raises `LeaseLost`.
        """

    @abstractmethod
    def jobs_past_retention(
        self, *, ended_s_ago: float, limit: int, skip: int = 0
    ) -> Sequence[str]:
        """Ids of at most `limit` jobs that ended at least so long ago and still have files.

        The first to end comes first; `skip` of them are left out, for a caller that could not delete theirs.
        """

    @abstractmethod
    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        """Ids of at most `limit` jobs that ended at least so long ago and whose files are deleted."""

    @abstractmethod
    def files_deleted(self, job_id: str) -> None:
        """Note in the job that its files are gone; its layout and the corrections of its rows go with them."""

    @abstractmethod
    def missing(self, job_id: str, *, idle_s: float, lease_s: float = LONGEST_LEASE_S) -> Missing:
        """Steps that nobody holds and that were handed out at least `idle_s` ago, or whose holder's lease ran out.

        They count as sent again now.

        Args:
            lease_s: as long as a lease is; what seems to be held for longer is held by nobody, because the store's clock
                was put back.
        """

    @abstractmethod
    def report_worker(self, name: str, model: Mapping[str, object] | None) -> None:
        """Note that a worker is alive and which model it reaches."""

    @abstractmethod
    def workers(self, *, within_s: float) -> Sequence[WorkerReport]:
        """Workers that reported within the last `within_s` seconds."""

    @abstractmethod
    def stats(self) -> Stats:
        """How the record stands. Its cost grows with the jobs under way, not with those that have ended."""

    @abstractmethod
    def ping(self) -> None:
        """Raises the adapter's own error when the store cannot be reached, or refuses writes. Writes nothing."""
