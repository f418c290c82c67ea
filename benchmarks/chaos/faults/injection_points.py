"""Named steps of a job: detected from outside, to suspend the worker there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

import psutil
import redis

from benchmarks.chaos.cluster_state import ClusterState
from benchmarks.local_stack import LocalStack
from jobs.errors import JobNotFound
from jobs.job import Job, State

_SUSPEND_TIMEOUT_S = 0.5


def planning(_: ClusterState, job: Job) -> bool:
    """Not all chunks are recorded."""
    return job.state in (State.VALIDATING, State.IN_PROGRESS) and not job.planned


def writing_chunk_output(cluster: ClusterState, job: Job) -> bool:
    """A chunk output has its temporary name."""
    return job.state is State.IN_PROGRESS and any(
        name.startswith(".") for name in cluster.chunk_output_names(job.id)
    )


def chunk_output_written(cluster: ClusterState, job: Job) -> bool:
    """A chunk output has its final name, and its chunk is not committed."""
    if job.state is not State.IN_PROGRESS:
        return False
    names = cluster.chunk_output_names(job.id)
    written = {int(name[:5]) for name in names if name[0] != "." and not name.endswith("errors")}
    return bool(written - cluster.store.chunks.manifests(job.id).keys())


def committed(cluster: ClusterState, job: Job) -> bool:
    """A chunk is committed, and the next steps are not enqueued."""
    return job.chunks_done > 0 and bool(cluster.steps_not_enqueued(job))


def assembling(cluster: ClusterState, job: Job) -> bool:
    """The result has its temporary name."""
    return job.state is State.FINALIZING and any(
        name.startswith(".result") for name in cluster.file_names(job.id)
    )


def result_published(cluster: ClusterState, job: Job) -> bool:
    """The result has its final name, and the job has not ended."""
    return not job.is_terminal and cluster.result_size(job.id) is not None


INJECTION_POINTS: Mapping[str, Callable[[ClusterState, Job], bool]] = {
    "planning": planning,
    "writing a chunk output": writing_chunk_output,
    "output written, not committed": chunk_output_written,
    "committed, next not enqueued": committed,
    "assembling": assembling,
    "result published, job not ended": result_published,
}


@contextlib.contextmanager
def suspended(processes: list[psutil.Process]) -> Iterator[None]:
    """Suspend processes with SIGSTOP for the block; afterwards those that exist are resumed."""
    try:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        deadline = time.monotonic() + _SUSPEND_TIMEOUT_S
        while not all(map(_is_suspended, processes)) and time.monotonic() < deadline:
            time.sleep(0.0005)
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.resume()


def _is_suspended(process: psutil.Process) -> bool:
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


@contextlib.contextmanager
def suspended_at(
    name: str, stack: LocalStack, cluster: ClusterState, *, timeout_s: float
) -> Iterator[tuple[str, list[psutil.Process]] | None]:
    """Suspend the worker when some job is at the named step.

    Yields: the job's id and the worker's processes, pool processes first; None after the timeout.
    """
    is_reached = INJECTION_POINTS[name]
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            jobs = cluster.active()
            candidate = next((job for job in jobs if is_reached(cluster, job)), None)
            if candidate is None:
                continue
            # Pool processes first: afterwards the main process cannot pass them messages.
            worker = stack.main_process("worker")
            processes = [*stack.pool(), *([worker] if worker else [])]
            with suspended(processes):
                if is_reached(cluster, cluster.store.jobs.get(candidate.id)):
                    yield candidate.id, processes
                    return
        except (redis.RedisError, JobNotFound):
            time.sleep(0.05)
    yield None
