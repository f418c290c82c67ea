"""Chunks and their commits in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from jobs.errors import LeaseLost
from jobs.job import TERMINAL, Chunk, Job, PinnedModel, State
from jobs.memory.record.state import MemoryState, Output
from jobs.metrics import ChunkMetrics, row_error_increments
from jobs.ports.record.chunk_ledger import ChunkLedger, Commit
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, Claim, label_step


class MemoryChunkLedger(ChunkLedger):
    """Over a `MemoryState`; passes the same contract suite as Redis."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        with self._state.claimed(claim) as record:
            if record.state is State.QUEUED:
                record.move(State.VALIDATING, self._state.clock())
            if record.model is None:
                record.model = model
            return record.model

    def add(self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int) -> Commit:
        with self._state.claimed(claim) as record:
            if record.state is State.QUEUED:  # the model comes first
                raise LeaseLost(claim.job_id, claim.step)
            planned = len(record.chunks)
            record.chunks += [chunk for chunk in chunks if chunk.index >= planned]
            if record.state is State.VALIDATING and record.chunks:
                record.move(State.IN_PROGRESS, self._state.clock())
            if last:
                record.planned = True
                record.drop(claim.step)
            return self._state.dispatch(record, window)

    def all(self, job_id: str) -> Sequence[Chunk]:
        with self._state.open(job_id) as record:
            return tuple(sorted(record.chunks, key=lambda chunk: chunk.start))

    def get(self, job_id: str, index: int) -> Chunk:
        with self._state.open(job_id) as record:
            if index >= len(record.chunks):
                raise KeyError(f"job {job_id} has no chunk {index}")
            return record.chunks[index]

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
        with self._state.claimed(claim) as record:
            record.done[index] = Output(
                labelled, failed, manifest, Counter(genres or {}), Counter(errors or {}), to_review
            )
            record.newest = index
            record.labelled += labelled
            record.failed += failed
            self._state.row_totals.update(labelled=labelled, failed=failed, to_review=to_review)
            self._state.count_genres(genres or {})
            self._state.metrics.update(row_error_increments(errors or {}))
            if metrics is not None:
                self._state.metrics.update(metrics.increments())
            record.progress = self._state.clock()
            record.drop(claim.step)
            record.sent.pop(claim.step, None)
            return self._state.dispatch(record, window)

    def split(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        with self._state.claimed(claim) as record:
            if not record.planned or right.index != len(record.chunks):
                raise LeaseLost(claim.job_id, claim.step)
            record.chunks[left.index] = left
            record.chunks.append(right)
            record.attempts[claim.step] = record.attempts[label_step(right.index)] = attempts
            record.drop(claim.step)
            record.sent[claim.step] = self._state.clock()
            commit = self._state.dispatch(record, window)
            return Commit(dispatch_chunks=(*commit.dispatch_chunks, left.index), last=False)

    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        with self._state.claimed(claim) as record:
            for steps in (record.fences, record.leases, record.sent, record.attempts):
                for step in [step for step in steps if step not in (PLAN, ASSEMBLE)]:
                    del steps[step]
            record.done.clear()
            record.labelled = record.failed = record.dispatched = 0
            record.model = model
            return self._state.dispatch(record, window)

    def manifests(self, job_id: str) -> Mapping[int, str]:
        with self._state.open(job_id) as record:
            return {index: output.manifest for index, output in record.done.items()}

    def latest_output(self, job_id: str) -> tuple[Chunk, str] | None:
        with self._state.lock:
            record = self._state.records.get(job_id)
            if record is None or record.newest not in record.done or record.state in TERMINAL:
                return None
            return record.chunks[record.newest], record.done[record.newest].manifest

    def reopen(self, claim: Claim, indices: Sequence[int]) -> Commit:
        with self._state.claimed(claim) as record:
            now = self._state.clock()
            record.drop(claim.step)
            relabel = record.ending is State.COMPLETED
            for index in indices:
                if (output := record.done.pop(index, None)) is not None:
                    record.labelled -= output.labelled
                    record.failed -= output.failed
                record.attempts.pop(label_step(index), None)
            if not relabel:
                record.sent[ASSEMBLE] = now
                return Commit(dispatch_chunks=(), last=True)
            record.sent.pop(ASSEMBLE, None)
            record.sent.update(dict.fromkeys(map(label_step, indices), now))
            record.ending = None
            record.state = State.IN_PROGRESS
            record.times.pop(State.FINALIZING, None)
            return Commit(dispatch_chunks=tuple(indices), last=False)

    def finish(self, claim: Claim) -> Job:
        if self._was_finished_by(claim):
            return self._finished(claim.job_id)
        with self._state.claimed(claim) as record:
            assert record.ending is not None  # set when assembly became due
            record.move(record.ending, self._state.clock())
            record.finished_by, record.ended = claim.fence, self._state.snapshot(record)
            self._state.ended_totals[record.ending] += 1
            for steps in (record.fences, record.leases, record.attempts, record.sent):
                steps.clear()
            record.chunks.clear()
            record.done.clear()
            if record.new.options.webhook_url is not None:
                self._state.webhooks.schedule(claim.job_id)
        return self._finished(claim.job_id)

    def _finished(self, job_id: str) -> Job:
        with self._state.open(job_id) as record:
            return self._state.snapshot(record)

    def _was_finished_by(self, claim: Claim) -> bool:
        with self._state.lock:
            record = self._state.records.get(claim.job_id)
            return record is not None and record.finished_by == claim.fence
