"""The job record in Redis. `jobs.redis.keys` names the keys; each atomic step is one script in `scripts/`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import redis
from redis.client import NEVER_DECODE

from jobs.errors import (
    IdempotencyKeyLost,
    IllegalTransition,
    JobNotFound,
    LeaseLost,
    TooManyOpenJobs,
    UploadLost,
)
from jobs.job import Chunk, Failure, Job, NewJob, PinnedModel, State
from jobs.ports.idempotency import KEPT_S, IdempotencyStore, KeyCompletion
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
from jobs.redis.connection import connect, load_script
from jobs.redis.idempotency import RedisIdempotencyStore
from jobs.redis.job_record import fields_of, job_from, packed_layout, unpacked_layout
from jobs.redis.keys import (
    ACTIVE,
    CREATED,
    EMPTIED,
    ENDED,
    PROBE,
    TOTALS,
    UPLOADS,
    WEBHOOKS_DUE,
    WORKERS,
    JobKeys,
    open_of,
    owned_by,
    request_key,
)
from jobs.redis.stats import read_stats

_STEP_INDEX = len(label_step(0)) - 1
# A name that has not reported for a day belongs to a worker that is gone.
_FORGET_WORKER_S = 86_400


class RedisJobStore(JobStore):
    """Jobs in Redis. Connects on first use; raises `redis.RedisError` when Redis cannot be reached."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._requests = RedisIdempotencyStore(self._redis)

        def script(*names: str) -> Any:
            return load_script(self._redis, *names)

        self._create = script("clock", "create")
        self._announce_upload = script("announce_upload")
        self._lost_uploads = script("lost_uploads")
        self._claim = script("clock", "claim")
        self._renew = script("clock", "renew")
        self._release = script("release")
        self._begin_planning = script("clock", "begin_planning")
        self._add_chunks = script("clock", "advance", "add_chunks")
        self._commit_chunk = script("clock", "advance", "commit_chunk")
        self._split_chunk = script("clock", "advance", "split_chunk")
        self._reopen_chunks = script("clock", "reopen_chunks")
        self._repin = script("clock", "advance", "repin")
        self._end = script("clock", "end")
        self._finish = script("clock", "finish")
        self._missing = script("clock", "missing")
        self._ended_before = script("clock", "ended_before")
        self._report_worker = script("clock", "report_worker")
        self._files_deleted = script("clock", "files_deleted")
        self._delete = script("delete")
        self._newest = script("clock", "newest")
        self._snapshot = script("clock", "snapshot")

    @property
    def requests(self) -> IdempotencyStore:
        return self._requests

    def announce_upload(self, job_id: str) -> None:
        if not self._announce_upload(keys=[UPLOADS], args=[job_id, UPLOAD_LOST_AFTER_S]):
            raise UploadLost(job_id)

    def forget_upload(self, job_id: str) -> None:
        self._redis.zrem(UPLOADS, job_id)

    def lost_uploads(self, *, silent_s_more: float) -> Sequence[str]:
        args = [silent_s_more, UPLOAD_LOST_AFTER_S, UPLOAD_LOST_AFTER_S + UPLOAD_REFUSED_FOR_S]
        return cast(list[str], self._lost_uploads(keys=[UPLOADS], args=args))

    def create(
        self, job: NewJob, *, most_open: int | None = None, settlement: KeyCompletion | None = None
    ) -> Job:
        keys = JobKeys(job.id)
        owner = job.owner or ""
        args: list[Any] = [job.id, owner, "" if most_open is None else most_open]
        args += [*_settling(settlement), UPLOAD_LOST_AFTER_S, packed_layout(job.layout)]
        for pair in fields_of(job).items():
            args += pair
        order = [keys.job, keys.sent, ACTIVE, CREATED, owned_by(owner), open_of(owner)]
        order += [request_key(settlement.hold.name if settlement else ""), UPLOADS]
        order.append(keys.layout)
        reply = self._create(keys=order, args=args)
        if reply == -2:
            raise UploadLost(job.id)
        if reply == -1:
            raise IdempotencyKeyLost
        if not reply:
            raise TooManyOpenJobs(most_open or 0)
        return self.get(job.id)

    def get(self, job_id: str) -> Job:
        keys = JobKeys(job_id)
        now_ms, record, done = self._snapshot(keys=[keys.job, keys.parts])
        if not record:
            raise JobNotFound(job_id)
        return _job_from(job_id, record, done, now_ms)

    def layout(self, job_id: str) -> Mapping[str, object]:
        # The one value that is no text, so it must not be decoded.
        packed = self._redis.execute_command(  # type: ignore[no-untyped-call]  # the library has no types for it
            "GET", JobKeys(job_id).layout, **{NEVER_DECODE: True}
        )
        if packed is None:
            raise JobNotFound(job_id)
        return unpacked_layout(packed)

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        listed, stem = CREATED if owner is None else owned_by(owner), JobKeys("")
        args = [limit, before or "", stem.job, stem.parts.removeprefix(stem.job)]
        reply = self._newest(keys=[listed], args=args)
        if reply is None:
            raise JobNotFound(before or "")
        now_ms, *found = reply
        return [_job_from(job_id, record, done, now_ms) for job_id, record, done in found]

    def open_jobs(self, owner: str) -> int:
        return self._redis.scard(open_of(owner))

    def active(self) -> Sequence[str]:
        return sorted(cast(set[str], self._redis.smembers(ACTIVE)))

    def delete(self, job_id: str) -> None:
        keys = JobKeys(job_id)
        owner = cast(str | None, self._redis.hget(keys.job, "owner")) or ""
        order = [CREATED, ENDED, EMPTIED, WEBHOOKS_DUE, owned_by(owner), *keys.all()]
        state = self._run(self._delete, job_id, order, [job_id])
        if state is not None:
            raise IllegalTransition(job_id, state, "deleted")

    def claim(self, job_id: str, step: str, *, lease_s: float) -> Claim | None:
        keys = JobKeys(job_id)
        reply = self._run(
            self._claim,
            job_id,
            [keys.job, keys.leases, keys.attempts, keys.parts, keys.chunks],
            [step, round(lease_s * 1000)],
        )
        if reply is None:
            return None
        return Claim(job_id=job_id, step=step, fence=reply[0], attempt=reply[1])

    def renew(self, claim: Claim, *, lease_s: float) -> None:
        keys = JobKeys(claim.job_id)
        args = [claim.step, claim.fence, round(lease_s * 1000)]
        if not self._renew(keys=[keys.job, keys.leases], args=args):
            raise LeaseLost(claim.job_id, claim.step)

    def release(self, claim: Claim) -> None:
        keys = JobKeys(claim.job_id)
        self._release(keys=[keys.job, keys.leases, keys.attempts], args=[claim.step, claim.fence])

    def begin_planning(self, claim: Claim, *, model: PinnedModel) -> PinnedModel:
        reply = self._begin_planning(keys=[JobKeys(claim.job_id).job], args=[claim.fence, *model])
        if reply is None:
            raise LeaseLost(claim.job_id, claim.step)
        return PinnedModel(int(reply[0]), reply[1])

    def planned_chunks(self, job_id: str) -> Sequence[Chunk]:
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.job)
            pipe.hvals(keys.chunks)
            exists, found = pipe.execute()
        if not exists:
            raise JobNotFound(job_id)
        return sorted((Chunk(**json.loads(text)) for text in found), key=lambda c: c.start)

    def chunk(self, job_id: str, index: int) -> Chunk:
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

    def add_chunks(
        self, claim: Claim, chunks: Sequence[Chunk], *, last: bool, window: int
    ) -> Commit:
        keys = JobKeys(claim.job_id)
        args: list[Any] = [claim.fence, int(last), window]
        for chunk in chunks:
            args += [chunk.index, chunk.rows, json.dumps(asdict(chunk))]
        return _commit_from(
            claim,
            self._add_chunks(
                keys=[keys.job, keys.leases, keys.sent, keys.chunks, keys.parts], args=args
            ),
        )

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
        keys, tally = JobKeys(claim.job_id), dict(genres or {})
        counts = {"labelled": labelled, "failed": failed, "to_review": to_review, "genres": tally}
        part = json.dumps({**counts, "seal": seal})
        args: list[Any] = [index, claim.fence, labelled, failed, to_review, window, part]
        for pair in tally.items():
            args += pair
        return _commit_from(
            claim,
            self._commit_chunk(
                keys=[keys.job, keys.leases, keys.sent, keys.parts, TOTALS],
                args=args,
            ),
        )

    def split_chunk(
        self, claim: Claim, left: Chunk, right: Chunk, *, attempts: int, window: int
    ) -> Commit:
        keys = JobKeys(claim.job_id)
        halves = [json.dumps(asdict(left)), right.index, json.dumps(asdict(right))]
        return _commit_from(
            claim,
            self._split_chunk(
                keys=[keys.job, keys.leases, keys.sent, keys.parts, keys.chunks, keys.attempts],
                args=[left.index, claim.fence, window, attempts, *halves],
            ),
        )

    def restart_with_model(self, claim: Claim, *, model: PinnedModel, window: int) -> Commit:
        keys = JobKeys(claim.job_id)
        return _commit_from(
            claim,
            self._repin(
                keys=[keys.job, keys.leases, keys.sent, keys.parts, keys.attempts],
                args=[claim.step, claim.fence, *model, window],
            ),
        )

    def committed_chunks(self, job_id: str) -> Mapping[int, str]:
        keys = JobKeys(job_id)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.job)
            pipe.hgetall(keys.parts)
            exists, found = pipe.execute()
        if not exists:
            raise JobNotFound(job_id)
        return {int(index): json.loads(text)["seal"] for index, text in found.items()}

    def latest_chunk_output(self, job_id: str) -> tuple[Chunk, str] | None:
        keys = JobKeys(job_id)
        index = self._redis.hget(keys.job, "newest")
        if index is None:
            return None
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.chunks, cast(str, index))
            pipe.hget(keys.parts, cast(str, index))
            chunk, part = pipe.execute()
        if chunk is None or part is None:
            return None
        return Chunk(**json.loads(chunk)), json.loads(part)["seal"]

    def reopen_chunks(self, claim: Claim, indices: Sequence[int]) -> Commit:
        keys = JobKeys(claim.job_id)
        return _commit_from(
            claim,
            self._reopen_chunks(
                keys=[keys.job, keys.leases, keys.sent, keys.parts, keys.attempts],
                args=[claim.fence, *indices],
            ),
        )

    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        keys = JobKeys(job_id)
        reason = json.dumps(asdict(failure)) if failure else ""
        self._run(self._end, job_id, [keys.job, keys.sent], [ending.value, reason])
        return self.get(job_id)

    def finish(self, claim: Claim) -> Job:
        keys = JobKeys(claim.job_id)
        order = [keys.job, keys.leases, keys.sent, keys.attempts, keys.chunks, keys.parts]
        order += [ACTIVE, ENDED, WEBHOOKS_DUE, TOTALS, open_of("")]
        if not self._finish(keys=order, args=[claim.fence, claim.job_id]):
            raise LeaseLost(claim.job_id, claim.step)
        return self.get(claim.job_id)

    def jobs_past_retention(
        self, *, ended_s_ago: float, limit: int, skip: int = 0
    ) -> Sequence[str]:
        args = [round(ended_s_ago * 1000), skip, limit]
        return cast(list[str], self._ended_before(keys=[ENDED], args=args))

    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        args = [round(ended_s_ago * 1000), 0, limit]
        return cast(list[str], self._ended_before(keys=[EMPTIED], args=args))

    def files_deleted(self, job_id: str) -> None:
        keys = JobKeys(job_id)
        order = [keys.job, keys.corrections, keys.layout, ENDED, EMPTIED]
        self._run(self._files_deleted, job_id, order, [job_id])

    def missing(self, job_id: str, *, idle_s: float, lease_s: float = LONGEST_LEASE_S) -> Missing:
        keys = JobKeys(job_id)
        steps = cast(
            list[str],
            self._run(
                self._missing,
                job_id,
                [keys.job, keys.leases, keys.sent],
                [round(idle_s * 1000), round(lease_s * 1000)],
            ),
        )
        labels = [step for step in steps if step not in (PLAN, ASSEMBLE)]
        return Missing(
            plan=PLAN in steps,
            assemble=ASSEMBLE in steps,
            chunks=tuple(sorted(int(step[_STEP_INDEX:]) for step in labels)),
        )

    def report_worker(self, name: str, model: Mapping[str, object] | None) -> None:
        args = [name, json.dumps(model), _FORGET_WORKER_S * 1000]
        self._report_worker(keys=[WORKERS], args=args)

    def workers(self, *, within_s: float) -> Sequence[WorkerReport]:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(WORKERS)
            pipe.time()
            found, (seconds, micros) = pipe.execute()
        now = seconds + micros / 1e6
        reports = [_report_from(name, text) for name, text in found.items()]
        return [report for report in reports if now - report.reported_at <= within_s]

    def stats(self) -> Stats:
        return read_stats(self._redis)

    def ping(self) -> None:
        # Changes nothing, since there is no such list; but a Redis that refuses writes refuses it.
        self._redis.lpushx(PROBE, "")

    def _run(self, script: Any, job_id: str, keys: list[str], args: list[Any]) -> Any:
        try:
            return script(keys=keys, args=args)
        except redis.ResponseError as error:
            if "NOJOB" in str(error):
                raise JobNotFound(job_id) from None
            raise


def _job_from(job_id: str, record: list[str], done: int, now_ms: int) -> Job:
    fields = dict(zip(record[::2], record[1::2], strict=True))
    return job_from(job_id, fields, done, now_ms / 1000)


def _report_from(name: str, text: str) -> WorkerReport:
    reported_ms, _, model = text.partition(" ")
    return WorkerReport(name=name, reported_at=int(reported_ms) / 1000, model=json.loads(model))


def _settling(settlement: KeyCompletion | None) -> list[Any]:
    if settlement is None:
        return ["", "", 0]
    return [settlement.hold.token, settlement.fingerprint, round(KEPT_S * 1000)]


def _commit_from(claim: Claim, reply: list[int] | None) -> Commit:
    if reply is None:
        raise LeaseLost(claim.job_id, claim.step)
    return Commit(last=bool(reply[0]), dispatch_chunks=tuple(reply[1:]))
