"""The named moments of a job's way: what can be seen of each, and how to stop the worker exactly there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

import psutil
import redis

from benchmarks.chaos.cluster_state import View
from benchmarks.local_stack import Laptop
from jobs.errors import JobNotFound
from jobs.job import Job, State

_STOPPED_S = 0.5


def planning(_: View, job: Job) -> bool:
    """Some chunks may be recorded, but not all."""
    return job.state in (State.VALIDATING, State.IN_PROGRESS) and not job.planned


def writing_part(view: View, job: Job) -> bool:
    """A part is being written under its temporary name."""
    return job.state is State.IN_PROGRESS and any(
        name.startswith(".") for name in view.part_names(job.id)
    )


def part_written(view: View, job: Job) -> bool:
    """A part is there under its final name, its chunk is not committed."""
    if job.state is not State.IN_PROGRESS:
        return False
    names = view.part_names(job.id)
    written = {int(name[:5]) for name in names if name[0] != "." and not name.endswith("errors")}
    return bool(written - view.store.chunks.manifests(job.id).keys())


def committed(view: View, job: Job) -> bool:
    """A chunk is committed, what follows from it is not handed out."""
    return job.chunks_done > 0 and bool(view.unsent(job))


def assembling(view: View, job: Job) -> bool:
    """The result is being written under its temporary name."""
    return job.state is State.FINALIZING and any(
        name.startswith(".result") for name in view.file_names(job.id)
    )


def result_published(view: View, job: Job) -> bool:
    """The result has its final name, the job has not ended."""
    return not job.is_terminal and view.result_size(job.id) is not None


MOMENTS: Mapping[str, Callable[[View, Job], bool]] = {
    "planning": planning,
    "part being written": writing_part,
    "part written, not committed": part_written,
    "committed, next not handed out": committed,
    "assembling": assembling,
    "result published, job not ended": result_published,
}


@contextlib.contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    """SIGSTOP for the length of the block; those that still live go on afterwards."""
    try:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        deadline = time.monotonic() + _STOPPED_S
        while not all(map(_is_stopped, processes)) and time.monotonic() < deadline:
            time.sleep(0.0005)
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.resume()


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


@contextlib.contextmanager
def stopped_at(
    name: str, stack: Laptop, view: View, *, patience_s: float
) -> Iterator[tuple[str, list[psutil.Process]] | None]:
    """The worker, stopped at the named moment of some job: the job's id and the processes; None if it was not met."""
    reached = MOMENTS[name]
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            jobs = view.active()
            seen = next((job for job in jobs if reached(view, job)), None)
            if seen is None:
                continue
            # Children first: the main process alone could still hand them something.
            worker = stack.main_process("worker")
            processes = [*stack.pool(), *([worker] if worker else [])]
            with stopped(processes):
                if reached(view, view.store.jobs.get(seen.id)):
                    yield seen.id, processes
                    return
        except (redis.RedisError, JobNotFound):
            time.sleep(0.05)
    yield None
