"""Memory of the processes of a stack during a measurement."""

from __future__ import annotations

import contextlib
import statistics
import threading
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType

import psutil

from benchmarks.local_stack import PROCESS_KINDS, LocalStack

_INTERVAL_S = 0.5


class Memory:
    """Samples resident sizes in MB during a `with` block: the largest process of each kind."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._samples: defaultdict[str, list[float]] = defaultdict(list)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def peaks(self) -> Mapping[str, float]:
        """The maximum by kind of process."""
        return {kind: max(values) for kind, values in self._samples.items() if values}

    def early_and_late(self) -> Mapping[str, tuple[float, float]]:
        """Medians of the second and the last tenth of the time; equal if memory is constant."""
        medians = {}
        for kind, values in self._samples.items():
            tenth = max(1, len(values) // 10)
            medians[kind] = (
                statistics.median(values[tenth : 2 * tenth] or values),
                statistics.median(values[-tenth:]),
            )
        return medians

    def _sample(self) -> None:
        while not self._stop.wait(_INTERVAL_S):
            for kind in PROCESS_KINDS:
                with contextlib.suppress(psutil.Error):
                    if (main := self._stack.main_process(kind)) is not None:
                        family = [main, *main.children(recursive=True)]
                        largest = max(process.memory_info().rss for process in family)
                        self._samples[kind].append(largest / 2**20)
