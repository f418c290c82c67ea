"""How much memory each process of a stack holds while something is done."""

from __future__ import annotations

import contextlib
import statistics
import threading
from collections import defaultdict
from collections.abc import Mapping
from types import TracebackType

import psutil

from benchmarks.local_stack import KINDS, Laptop

_EVERY_S = 0.5


class Memory:
    """Samples resident sizes (MB) by kind of process, the largest of each kind, for the length of a `with` block."""

    def __init__(self, stack: Laptop) -> None:
        self._stack = stack
        self._samples: defaultdict[str, list[float]] = defaultdict(list)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

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
        """The most that any process of a kind held."""
        return {kind: max(values) for kind, values in self._samples.items() if values}

    def early_and_late(self) -> Mapping[str, tuple[float, float]]:
        """Medians of the second and the last tenth of the time: equal where memory is flat."""
        found = {}
        for kind, values in self._samples.items():
            tenth = max(1, len(values) // 10)
            found[kind] = (
                statistics.median(values[tenth : 2 * tenth] or values),
                statistics.median(values[-tenth:]),
            )
        return found

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            for kind in KINDS:
                with contextlib.suppress(psutil.Error):
                    if (main := self._stack.main_process(kind)) is not None:
                        family = [main, *main.children(recursive=True)]
                        largest = max(process.memory_info().rss for process in family)
                        self._samples[kind].append(largest / 2**20)
