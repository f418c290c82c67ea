"""The stack as it can be seen from outside: job record, queues and storage folder. Reads only.

Nothing in the processes under test knows of this harness: a named moment is found by stopping the worker and looking
whether it has just reached it. That needs more of the record than the port `JobStore` tells, so this file is the
one place outside `jobs/` that uses the keys of the record, by the names of `jobs/redis/keys.py`.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.local_stack import Laptop
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


class View:
    """One connection to the stack's Redis, and its storage folder. Raises `redis.RedisError` while Redis is away."""

    def __init__(self, stack: Laptop) -> None:
        self._stack = stack
        self.store = redis_job_store(redis_client(stack.redis_url))
        self.redis = stack.redis()

    def active(self) -> list[Job]:
        """Jobs that have not ended."""
        return [self.store.jobs.get(job_id) for job_id in self.store.jobs.active_ids()]

    def held(self, job_id: str) -> list[str]:
        """Steps of the job that some process has claimed (also those whose holder is dead)."""
        return cast(list[str], self.redis.zrange(JobKeys(job_id).leases, 0, -1))

    def all_held(self) -> set[Step]:
        """The claimed steps of all jobs."""
        return {
            Step(job_id, step)
            for job_id in self.store.jobs.active_ids()
            for step in self.held(job_id)
        }

    def is_done(self, step: Step) -> bool:
        """Whether the step need not be carried out any more."""
        job = self.store.jobs.get(step.job_id)
        if job.is_terminal or (job.ending is not None and step.step != ASSEMBLE):
            return True
        if step.step == PLAN:
            return job.planned
        if step.step == ASSEMBLE:
            return False
        done = self.store.chunks.manifests(job.id)
        return any(step.step == label_step(index) for index in done)

    def unsent(self, job: Job) -> list[str]:
        """Steps that the last commit made due and for which there is no message yet (or one just taken)."""
        keys = JobKeys(job.id)
        moments = {job.last_progress_at, job.state_times.get(State.FINALIZING)}
        due = cast(list[tuple[str, float]], self.redis.zrange(keys.sent, 0, -1, withscores=True))
        fresh = {step for step, at in due if at / 1000 in moments}
        fresh -= set(self.held(job.id))
        return sorted(fresh - {step.step for step in self.messages() if step.job_id == job.id})

    def messages(self) -> list[Step]:
        """Steps whose messages wait in the queues or in a worker's hands."""
        taken = cast(dict[str, str], self.redis.hgetall("unacked"))
        found = [decode(json.loads(text)[0]) for text in taken.values()]
        return [*self.waiting(), *(step for step in found if step is not None)]

    def waiting(self) -> list[Step]:
        """Steps whose messages wait in the queues."""
        raw: list[str] = []
        for queue in QUEUES:
            raw += cast(list[str], self.redis.lrange(queue, 0, -1))
        found = [decode(json.loads(text)) for text in raw]
        return [step for step in found if step is not None]

    def part_names(self, job_id: str) -> list[str]:
        """Files of the parts folder, unfinished ones included."""
        return _names(self._stack.storage / chunk_outputs_folder(job_id))

    def file_names(self, job_id: str) -> list[str]:
        """Files of the job's folder, unfinished ones included, without the parts."""
        return _names(self._stack.storage / job_folder(job_id))

    def result_size(self, job_id: str) -> int | None:
        """Bytes under the result's final name; None while there is none."""
        try:
            return (self._stack.storage / result_path(job_id)).stat().st_size
        except OSError:
            return None

    def committed_parts(self, job_id: str) -> list[Path]:
        """The labelled rows of the committed chunks."""
        seals = self.store.chunks.manifests(job_id)
        parts = [ChunkOutput.from_manifest(job_id, index, seal) for index, seal in seals.items()]
        return [self._stack.storage / chunk_output_path(job_id, p.index, p.fence) for p in parts]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:  # not made yet, or just removed
        return []


def decode(message: dict[str, Any]) -> Step | None:
    """The step that a queued Celery message asks for; None for the sweep."""
    arguments = json.loads(base64.b64decode(message["body"]))[0]
    task = message["headers"]["task"].rpartition(".")[2]
    if not arguments:
        return None
    if task == "label":
        return Step(arguments[0], label_step(arguments[1]))
    return Step(arguments[0], task)
