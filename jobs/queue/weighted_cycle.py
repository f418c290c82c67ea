"""The order in which a free worker polls the queues: urgent ones first, without starvation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kombu.utils.scheduling import priority_cycle

from jobs.queue.task_queue import BULK_QUEUE, SMALL_QUEUE

# After this many messages from other queues, a queue comes first once. A job of one chunk has three
# messages (plan, label, assemble), so one chunk of a large job is taken for about four small jobs.
TURNS: Mapping[str, int] = {SMALL_QUEUE: 8, BULK_QUEUE: 12}


class QueueTurns(priority_cycle):  # type: ignore[type-arg]  # generic in its stub alone
    """The queues in fixed order, preceded by those whose turn it is.

    kombu creates one per channel, calls `consume` before each message, and `rotate` after it.
    """

    def __init__(
        self,
        it: Iterable[str] | None = None,
        turns: Mapping[str, int] = TURNS,
        on_wait: Callable[[], object] = lambda: None,
    ) -> None:
        """Begins without queues; kombu adds them.

        Args:
            it: the queues.
            turns: after how many messages of other queues a queue comes first.
            on_wait: called whenever a wait for messages begins, so not before the last one was
                answered, nor while the worker consumes no queue.
        """
        super().__init__(list(it) if it is not None else None)
        self._turns = turns
        self._on_wait = on_wait
        self._passed: Counter[str] = (
            Counter()
        )  # messages of other queues since the last of this one

    def consume(self, n: int) -> Any:
        """The first `n` queues to poll, in order."""
        queues = sorted(super().consume(n), key=lambda queue: not self._is_due(queue))
        if queues:
            self._on_wait()
        return queues

    def rotate(self, last_used: str) -> None:
        """Count a message that was taken from `last_used`."""
        for queue in self._turns:
            self._passed[queue] += 1
        self._passed[last_used] = 0

    def _is_due(self, queue: str) -> bool:
        return queue in self._turns and self._passed[queue] >= self._turns[queue]
