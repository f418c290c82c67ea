"""Reads the state of the stack from outside: job record, queues and storage folder.

The processes under test contain no hooks: a named step is detected by suspending the worker and
reading the state. That requires more than the ports of `jobs` offer, so this is the one module
outside of `jobs/` that reads keys of the record, by the names of `jobs/redis/keys.py`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.local_stack import LocalStack
from jobs.files.chunk_output import ChunkOutput
from jobs.files.storage import chunk_output_path, chunk_outputs_folder, job_folder, result_path
from jobs.job import Job, State
from jobs.ports.record.step_leases import ASSEMBLE, PLAN, label_step
from jobs.queue.task_queue import QUEUES
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.keys import JobKeys


@dataclass(frozen=True)
class Step:
    """One step of one job."""

    job_id: str
    step: str


class ClusterState:
    """One connection to the stack's Redis, and its storage folder.

    Methods raise `redis.RedisError` while Redis is not available.
    """

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self.store = redis_job_store(redis_client(stack.redis_url))
        self.redis = stack.redis()

    def active(self) -> list[Job]:
        """Jobs that have not ended."""
        return [self.store.jobs.get(job_id) for job_id in self.store.jobs.active_ids()]

    def claimed(self, job_id: str) -> list[str]:
        """Steps of the job that are claimed, also by processes that have died."""
        return cast(list[str], self.redis.zrange(JobKeys(job_id).leases, 0, -1))

    def all_claimed(self) -> set[Step]:
        """The claimed steps of all jobs."""
        return {
            Step(job_id, step)
            for job_id in self.store.jobs.active_ids()
            for step in self.claimed(job_id)
        }

    def is_done(self, step: Step) -> bool:
        """Whether the step need not be executed any more."""
        job = self.store.jobs.get(step.job_id)
        if job.is_terminal or (job.ending is not None and step.step != ASSEMBLE):
            return True
        if step.step == PLAN:
            return job.planned
        if step.step == ASSEMBLE:
            return False
        done = self.store.chunks.manifests(job.id)
        return any(step.step == label_step(index) for index in done)

    def steps_not_enqueued(self, job: Job) -> list[str]:
        """Steps that the last commit has made due and that have no message and no claim."""
        keys = JobKeys(job.id)
        committed_at = {job.last_progress_at, job.state_times.get(State.FINALIZING)}
        sent = cast(list[tuple[str, float]], self.redis.zrange(keys.sent, 0, -1, withscores=True))
        due = {step for step, at in sent if at / 1000 in committed_at}
        due -= set(self.claimed(job.id))
        return sorted(due - {step.step for step in self.messages() if step.job_id == job.id})

    def messages(self) -> list[Step]:
        """Steps with a message in the queues or unacknowledged by a worker."""
        unacked = cast(dict[str, str], self.redis.hgetall("unacked"))
        steps = [decode(json.loads(text)[0]) for text in unacked.values()]
        return [*self.queued(), *(step for step in steps if step is not None)]

    def queued(self) -> list[Step]:
        """Steps with a message in the queues."""
        raw: list[str] = []
        for queue in QUEUES:
            raw += cast(list[str], self.redis.lrange(queue, 0, -1))
        steps = [decode(json.loads(text)) for text in raw]
        return [step for step in steps if step is not None]

    def chunk_output_names(self, job_id: str) -> list[str]:
        """Files in the folder of chunk outputs, also temporary ones."""
        return _names(self._stack.storage / chunk_outputs_folder(job_id))

    def file_names(self, job_id: str) -> list[str]:
        """Files in the job's folder, also temporary ones, without chunk outputs."""
        return _names(self._stack.storage / job_folder(job_id))

    def result_size(self, job_id: str) -> int | None:
        """Size of the result in bytes; None while it does not exist."""
        try:
            return (self._stack.storage / result_path(job_id)).stat().st_size
        except OSError:
            return None

    def committed_outputs(self, job_id: str) -> list[Path]:
        """The output files of the committed chunks."""
        outputs = [
            ChunkOutput.from_manifest(job_id, index, manifest)
            for index, manifest in self.store.chunks.manifests(job_id).items()
        ]
        return [
            self._stack.storage / chunk_output_path(job_id, output.index, output.fence)
            for output in outputs
        ]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:  # not created yet, or just removed
        return []


def decode(message: dict[str, Any]) -> Step | None:
    """The step of a queued Celery message; None for periodic tasks."""
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    task = message["headers"]["task"].rpartition(".")[2]
    if not arguments:
        return None
    if task == "label":
        return Step(arguments[0], label_step(arguments[1]))
    return Step(arguments[0], task)
