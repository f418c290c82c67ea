"""The port to the chunks of a job: what is planned, what is committed, what is due next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.job import Chunk, Job, PinnedModel
from jobs.metrics import ChunkMetrics
from jobs.ports.record.step_leases import Claim


@dataclass(frozen=True, kw_only=True)
class Commit:
    """The steps that a committed step has made due."""

    dispatch_chunks: tuple[int, ...]  # chunks to enqueue now
    last: bool  # every chunk is done: enqueue assembly


class ChunkLedger(ABC):
    """Progress of jobs. Each method is atomic.

    Methods with a claim raise `LeaseLost` if it is no longer valid; the others raise `JobNotFound`
    for an unknown job.
    """

    @abstractmethod
    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        """`queued → validating`, and pin the model. Returns the model that was pinned first."""

    @abstractmethod
    def add(self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int) -> Commit:
        """Append chunks and add their rows to the total.

        The first chunk makes the job `in_progress`; `last` ends planning.
        """

    @abstractmethod
    def all(self, job_id: str) -> Sequence[Chunk]:
        """The chunks recorded so far, in the order of the input."""

    @abstractmethod
    def get(self, job_id: str, index: int) -> Chunk:
        """One chunk. Raises `KeyError` if there is none with this index."""

    @abstractmethod
    def commit(
        self,
        claim: Claim,
        index: int,
        *,
        labelled: int,
        failed: int,
        manifest: str,
        window: int,
        genres: Mapping[str, int] | None = None,
        errors: Mapping[str, int] | None = None,
        to_review: int = 0,
        metrics: ChunkMetrics | None = None,
    ) -> Commit:
        """Mark a chunk as done and add its counts, once.

        Args:
            claim: the claim of the chunk's step.
            index: the chunk.
            labelled: rows with a label.
            failed: rows with an error.
            manifest: stored unchanged; assembly uses it to find and verify the chunk output.
            window: maximum number of chunks that are enqueued and not done.
            genres: labelled rows by genre.
            errors: failed rows by error code.
            to_review: rows, labelled or not, that need review.
            metrics: counted if the commit is accepted, as the genres and errors are.
        """

    @abstractmethod
    def split(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        """Replace the claimed chunk by its two halves, and release it.

        Also raises `LeaseLost` while the job is being planned; the chunk is unchanged then.

        Args:
            claim: the claim of the chunk's step.
            left: keeps the chunk's index.
            right: has the index `Job.chunks`.
            attempts: the number of attempts at which both halves start.
            window: maximum number of chunks that are enqueued and not done.
        """

    @abstractmethod
    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        """Restart labelling at the first chunk with another model, so that no job mixes models.

        The claim is that of a chunk or of planning. All claims of chunks are revoked.
        """

    @abstractmethod
    def manifests(self, job_id: str) -> Mapping[int, str]:
        """The manifests of the committed chunks, by index."""

    @abstractmethod
    def latest_output(self, job_id: str) -> tuple[Chunk, str] | None:
        """The chunk that was committed last and its manifest; None if there is none."""

    @abstractmethod
    def reopen(self, claim: Claim, indices: Sequence[int]) -> Commit:
        """Revoke the commits of chunks whose output is damaged, and release assembly's claim.

        A job that is otherwise complete returns to labelling. A job that ends early is to be
        assembled without these chunks.
        """

    @abstractmethod
    def finish(self, claim: Claim) -> Job:
        """Publish the terminal state that `end` or the last commit chose; make the webhook due."""
