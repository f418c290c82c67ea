"""Probabilities for many texts: repeats dropped, requests overlapped, rejected batches bisected."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.batching import micro_batches
from worker.model_client import ModelClient, ModelRejected, PendingPrediction
from worker.settings import WorkerSettings

# A row of probabilities, float32 [K], or None where the model refused the text or had no finite answer.
Prediction = NDArray[np.float32] | None


def predict(
    model: ModelClient,
    version: int,
    texts: Sequence[str],
    *,
    max_tokens: int,
    settings: WorkerSettings,
    checkpoint: Callable[[], None],
) -> list[Prediction]:
    """One prediction per text, in order.

    `checkpoint` is called before each request and may raise to stop the work.
    Raises `ModelUnavailable` when the server stays away, `ModelMismatch` when it is not our kind of model.
    """
    distinct = list(dict.fromkeys(texts))
    found: dict[str, Prediction] = {}

    def collect(batch: list[str], pending: PendingPrediction) -> None:
        try:
            rows = pending.result()
        except ModelRejected:
            if len(batch) == 1:
                found[batch[0]] = None
                return
            # One text spoils the whole request: halve until only the guilty ones are left.
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                checkpoint()
                collect(half, model.submit(version, half))
            return
        for text, row in zip(batch, rows, strict=True):
            found[text] = row if np.isfinite(row).all() else None

    in_flight: deque[tuple[list[str], PendingPrediction]] = deque()
    try:
        for positions in micro_batches(
            [text.count(" ") + 1 for text in distinct],
            batch_rows=settings.batch_rows,
            batch_tokens=settings.batch_tokens,
            max_tokens=max_tokens,
        ):
            checkpoint()
            if len(in_flight) == settings.requests_in_flight:
                collect(*in_flight.popleft())
            batch = [distinct[position] for position in positions]
            in_flight.append((batch, model.submit(version, batch)))
        while in_flight:
            checkpoint()
            collect(*in_flight.popleft())
    except BaseException:
        for _, pending in in_flight:
            pending.cancel()  # the server need not finish what nobody waits for
        raise
    return [found[text] for text in texts]
