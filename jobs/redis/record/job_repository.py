"""Jobs in Redis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import redis
from redis.client import NEVER_DECODE

from catalogue.parsing.schema import CatalogueSchema
from jobs.errors import (
    IdempotencyKeyLost,
    IllegalTransition,
    JobNotFound,
    TooManyOpenJobs,
    UploadLost,
)
from jobs.job import Failure, Job, NewJob, State
from jobs.ports.record.idempotency import RETENTION_S, KeyCompletion
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.record.upload_registry import UPLOAD_LOST_AFTER_S
from jobs.redis.connection import load_script, run_for_job
from jobs.redis.keys import (
    ACTIVE,
    CREATED,
    EMPTIED,
    ENDED,
    PROBE,
    UPLOADS,
    WEBHOOKS_DUE,
    JobKeys,
    idempotency_key,
    open_of,
    owned_by,
)
from jobs.redis.record.job_record import fields_of, job_from_reply, packed_schema, unpacked_schema


class RedisJobRepository(JobRepository):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._create = load_script(client, "clock", "create_job")
        self._end = load_script(client, "clock", "end_job")
        self._delete = load_script(client, "delete_job")
        self._newest = load_script(client, "clock", "newest_jobs")
        self._snapshot = load_script(client, "clock", "job_snapshot")
        self._ended_before = load_script(client, "clock", "jobs_ended_before")
        self._mark_files_deleted = load_script(client, "clock", "mark_files_deleted")

    def create(
        self, job: NewJob, *, max_open: int | None = None, completion: KeyCompletion | None = None
    ) -> Job:
        keys = JobKeys(job.id)
        owner = job.owner or ""
        args: list[Any] = [job.id, owner, "" if max_open is None else max_open]
        args += [*_completion_args(completion), UPLOAD_LOST_AFTER_S, packed_schema(job.schema)]
        for pair in fields_of(job).items():
            args += pair
        order = [keys.job, keys.sent, ACTIVE, CREATED, owned_by(owner), open_of(owner)]
        order += [idempotency_key(completion.claim.name if completion else ""), UPLOADS]
        order.append(keys.schema)
        reply = self._create(keys=order, args=args)
        if reply == -2:
            raise UploadLost(job.id)
        if reply == -1:
            raise IdempotencyKeyLost
        if not reply:
            raise TooManyOpenJobs(max_open or 0)
        return self.get(job.id)

    def get(self, job_id: str) -> Job:
        keys = JobKeys(job_id)
        now_ms, record, done = self._snapshot(keys=[keys.job, keys.outputs])
        if not record:
            raise JobNotFound(job_id)
        return job_from_reply(job_id, record, done, now_ms)

    def schema(self, job_id: str) -> CatalogueSchema:
        # The only binary value: it must not be decoded.
        packed = self._redis.execute_command(  # type: ignore[no-untyped-call]  # the library lacks types
            "GET", JobKeys(job_id).schema, **{NEVER_DECODE: True}
        )
        if packed is None:
            raise JobNotFound(job_id)
        return unpacked_schema(packed)

    def newest(
        self, *, limit: int, before: str | None = None, owner: str | None = None
    ) -> Sequence[Job]:
        listed, stem = CREATED if owner is None else owned_by(owner), JobKeys("")
        args: list[Any] = [limit, before or "", stem.job, stem.outputs.removeprefix(stem.job)]
        reply = self._newest(keys=[listed], args=args)
        if reply is None:
            raise JobNotFound(before or "")
        now_ms, *records = reply
        return [job_from_reply(job_id, record, done, now_ms) for job_id, record, done in records]

    def count_open(self, owner: str) -> int:
        return self._redis.scard(open_of(owner))

    def active_ids(self) -> Sequence[str]:
        return sorted(cast(set[str], self._redis.smembers(ACTIVE)))

    def end(self, job_id: str, ending: State, failure: Failure | None = None) -> Job:
        keys = JobKeys(job_id)
        reason = json.dumps(asdict(failure)) if failure else ""
        run_for_job(self._end, job_id, [keys.job, keys.sent], [ending.value, reason])
        return self.get(job_id)

    def delete(self, job_id: str) -> None:
        keys = JobKeys(job_id)
        owner = cast(str | None, self._redis.hget(keys.job, "owner")) or ""
        order = [CREATED, ENDED, EMPTIED, WEBHOOKS_DUE, owned_by(owner), *keys.all()]
        state = run_for_job(self._delete, job_id, order, [job_id])
        if state is not None:
            raise IllegalTransition(job_id, state, "deleted")

    def past_retention(self, *, ended_s_ago: float, limit: int, skip: int = 0) -> Sequence[str]:
        args: list[Any] = [round(ended_s_ago * 1000), skip, limit]
        return cast(list[str], self._ended_before(keys=[ENDED], args=args))

    def mark_files_deleted(self, job_id: str) -> None:
        keys = JobKeys(job_id)
        order = [keys.job, keys.corrections, keys.schema, ENDED, EMPTIED]
        run_for_job(self._mark_files_deleted, job_id, order, [job_id])

    def without_files(self, *, ended_s_ago: float, limit: int) -> Sequence[str]:
        args: list[Any] = [round(ended_s_ago * 1000), 0, limit]
        return cast(list[str], self._ended_before(keys=[EMPTIED], args=args))

    def ping(self) -> None:
        # The list never exists, so this changes nothing; a Redis that refuses writes refuses it.
        self._redis.lpushx(PROBE, "")


def _completion_args(completion: KeyCompletion | None) -> list[Any]:
    if completion is None:
        return ["", "", 0]
    return [completion.claim.token, completion.fingerprint, round(RETENTION_S * 1000)]
