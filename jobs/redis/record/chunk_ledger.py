"""Chunks and their commits in Redis."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import redis

from jobs.errors import JobNotFound, LeaseLost
from jobs.job import Chunk, Job, PinnedModel
from jobs.metrics import MAX_GENRES, OTHER_GENRES, ChunkMetrics, row_error_increments
from jobs.ports.record.chunk_ledger import ChunkLedger, Commit
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.record.step_leases import Claim
from jobs.redis.connection import load_script
from jobs.redis.keys import (
    ACTIVE,
    ENDED,
    METRICS,
    METRICS_GENRES,
    TOTALS,
    WEBHOOKS_DUE,
    JobKeys,
    open_of,
)


class RedisChunkLedger(ChunkLedger):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis, jobs: JobRepository) -> None:
        self._redis = client
        self._jobs = jobs
        self._begin_planning = load_script(client, "clock", "begin_planning")
        self._add = load_script(client, "clock", "dispatch_chunks", "add_chunks")
        self._commit = load_script(client, "clock", "dispatch_chunks", "commit_chunk")
        self._split = load_script(client, "clock", "dispatch_chunks", "split_chunk")
        self._restart_with_model = load_script(
            client, "clock", "dispatch_chunks", "restart_with_model"
        )
        self._reopen = load_script(client, "clock", "reopen_chunks")
        self._finish = load_script(client, "clock", "finish_job")

    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        reply = self._begin_planning(keys=[JobKeys(claim.job_id).job], args=[claim.fence, *model])
        if reply is None:
            raise LeaseLost(claim.job_id, claim.step)
        return PinnedModel(int(reply[0]), reply[1])

    def add(self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int) -> Commit:
        keys = JobKeys(claim.job_id)
        args: list[Any] = [claim.fence, int(last), window]
        for chunk in chunks:
            args += [chunk.index, chunk.rows, json.dumps(asdict(chunk))]
        return _commit_from(
            claim,
            self._add(
                keys=[keys.job, keys.leases, keys.sent, keys.chunks, keys.outputs], args=args
            ),
        )

    def all(self, job_id: str) -> Sequence[Chunk]:
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.job)
            pipe.hvals(keys.chunks)
            exists, texts = pipe.execute()
        if not exists:
            raise JobNotFound(job_id)
        return sorted((Chunk(**json.loads(text)) for text in texts), key=lambda c: c.start)

    def get(self, job_id: str, index: int) -> Chunk:
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.job)
            pipe.hget(keys.chunks, str(index))
            exists, text = pipe.execute()
        if not exists:
            raise JobNotFound(job_id)
        if text is None:
            raise KeyError(f"job {job_id} has no chunk {index}")
        return Chunk(**json.loads(text))

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
        keys, tally = JobKeys(claim.job_id), dict(genres or {})
        counts = {"labelled": labelled, "failed": failed, "to_review": to_review}
        tallies = {"genres": tally, "errors": dict(errors or {})}
        output = json.dumps({**counts, **tallies, "manifest": manifest})
        args: list[Any] = [index, claim.fence, labelled, failed, to_review, window, output]
        args += [MAX_GENRES, OTHER_GENRES, len(tally)]
        increments = row_error_increments(errors or {})
        increments.update(metrics.increments() if metrics else {})
        for pair in (*tally.items(), *increments.items()):
            args += pair
        order = [keys.job, keys.leases, keys.sent, keys.outputs, TOTALS, METRICS, METRICS_GENRES]
        return _commit_from(claim, self._commit(keys=order, args=args))

    def split(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        keys = JobKeys(claim.job_id)
        halves: list[Any] = [json.dumps(asdict(left)), right.index, json.dumps(asdict(right))]
        return _commit_from(
            claim,
            self._split(
                keys=[keys.job, keys.leases, keys.sent, keys.outputs, keys.chunks, keys.attempts],
                args=[left.index, claim.fence, window, attempts, *halves],
            ),
        )

    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        keys = JobKeys(claim.job_id)
        return _commit_from(
            claim,
            self._restart_with_model(
                keys=[keys.job, keys.leases, keys.sent, keys.outputs, keys.attempts],
                args=[claim.step, claim.fence, *model, window],
            ),
        )

    def manifests(self, job_id: str) -> Mapping[int, str]:
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.job)
            pipe.hgetall(keys.outputs)
            exists, texts = pipe.execute()
        if not exists:
            raise JobNotFound(job_id)
        return {int(index): json.loads(text)["manifest"] for index, text in texts.items()}

    def latest_output(self, job_id: str) -> tuple[Chunk, str] | None:
        keys = JobKeys(job_id)
        index = self._redis.hget(keys.job, "newest")
        if index is None:
            return None
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.chunks, cast(str, index))
            pipe.hget(keys.outputs, cast(str, index))
            chunk, output = pipe.execute()
        if chunk is None or output is None:
            return None
        return Chunk(**json.loads(chunk)), json.loads(output)["manifest"]

    def reopen(self, claim: Claim, indices: Sequence[int]) -> Commit:
        keys = JobKeys(claim.job_id)
        return _commit_from(
            claim,
            self._reopen(
                keys=[keys.job, keys.leases, keys.sent, keys.outputs, keys.attempts],
                args=[claim.fence, *indices],
            ),
        )

    def finish(self, claim: Claim) -> Job:
        keys = JobKeys(claim.job_id)
        order = [keys.job, keys.leases, keys.sent, keys.attempts, keys.chunks, keys.outputs]
        order += [ACTIVE, ENDED, WEBHOOKS_DUE, TOTALS, open_of("")]
        if not self._finish(keys=order, args=[claim.fence, claim.job_id]):
            raise LeaseLost(claim.job_id, claim.step)
        return self._jobs.get(claim.job_id)


def _commit_from(claim: Claim, reply: list[int] | None) -> Commit:
    if reply is None:
        raise LeaseLost(claim.job_id, claim.step)
    return Commit(last=bool(reply[0]), dispatch_chunks=tuple(reply[1:]))
