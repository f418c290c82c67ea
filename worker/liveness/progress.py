"""Progress of a worker: when it last waited for messages or finished a step of its work.

A process can be alive without doing anything. The worker's main process marks each wait for
messages, the processes of its pool mark the steps of their tasks, and the main process reports the
newest mark.
"""

from __future__ import annotations

import ctypes
import mmap
import time
from collections.abc import Callable

from jobs.ports.record.worker_registry import WorkerRegistry
from worker.liveness.reporting import start_reporter


class ProgressMark:
    """The time of the latest progress. Processes that are forked from its creator share it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Counts as progress.

        Args:
            clock: monotonic seconds, the same in all processes of this machine.
        """
        self._clock = clock
        # Anonymous memory, which needs no writable folder. Without a lock: a process that is killed
        # while it holds one would stop all others. An aligned double is written at once, and two
        # marks at the same time are equally right.
        memory = mmap.mmap(-1, ctypes.sizeof(ctypes.c_double))
        self._marked_at = ctypes.c_double.from_buffer(memory)
        self.touch()

    def touch(self) -> None:
        """Progress was made now."""
        self._marked_at.value = self._clock()

    def age_s(self) -> float:
        """Seconds since the latest progress."""
        return max(0.0, self._clock() - self._marked_at.value)


def start_progress_reporter(workers: WorkerRegistry, name: str, progress: ProgressMark) -> None:
    """Start the reporting thread of the worker's main process."""

    def report() -> None:
        workers.report_progress(name, age_s=progress.age_s())

    start_reporter("progress", report)
