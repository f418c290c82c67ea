"""Predictions for many texts: deduplicated, with overlapping requests and bisection of batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from worker.model.client import ModelClient, ModelRejected, ModelUnavailable, PredictionFuture
from worker.model.retry import AMBIGUOUS
from worker.model.signatures import PROBE, Evidence
from worker.pipeline.batching import micro_batches
from worker.pipeline.measurements import Measurements
from worker.settings import WorkerSettings

# A row of probabilities, float32 [K], or None where the model refused the text or had no finite answer.
Prediction = NDArray[np.float32] | None

# Evidence takes the server some numbers per row and word of its vocabulary, so larger batches only cost memory.
_MAX_EXPLAINED = 64

Row = TypeVar("Row")


def predict(
    model: ModelClient,
    version: int,
    texts: Sequence[str],
    *,
    max_tokens: int,
    settings: WorkerSettings,
    checkpoint: Callable[[], None],
    measured: Measurements,
) -> list[Prediction]:
    """One prediction per text, in order.

    `checkpoint` is called before each request and may raise to stop the work; `measured` gets the durations.
    Raises `ModelUnavailable` when the server stays away, `ModelMismatch` when it is not our kind of model.
    """
    found: dict[str, Prediction] = _ask(
        lambda batch: model.submit(version, batch),
        list(dict.fromkeys(texts)),
        batch_rows=settings.batch_rows,
        max_tokens=max_tokens,
        settings=settings,
        checkpoint=checkpoint,
        on_calls=partial(measured.add_calls, "predict"),
    )
    finite = {
        text: row if row is not None and np.isfinite(row).all() else None
        for text, row in found.items()
    }
    return [finite[text] for text in texts]


def explain(
    model: ModelClient,
    version: int,
    texts: Sequence[str],
    *,
    max_tokens: int,
    settings: WorkerSettings,
    checkpoint: Callable[[], None],
    measured: Measurements,
) -> list[Evidence]:
    """The words that weighed most for each text, in order; none where the model refused the text. See `predict`."""
    found = _ask(
        lambda batch: model.explain(version, batch),
        list(dict.fromkeys(texts)),
        batch_rows=min(settings.batch_rows, _MAX_EXPLAINED),
        max_tokens=max_tokens,
        settings=settings,
        checkpoint=checkpoint,
        on_calls=partial(measured.add_calls, "explain"),
    )
    return [found[text] or () for text in texts]


def _check_model_answers(
    submit: Callable[[list[str]], PredictionFuture[Iterable[Row]]],
) -> None:
    """Raise `ModelUnavailable` if the model fails at any text, not only at this one."""
    try:
        submit([PROBE]).result()
    except ModelRejected as error:
        raise ModelUnavailable(f"the model fails at any text: {error}", code=error.code) from error


def _ask(
    submit: Callable[[list[str]], PredictionFuture[Iterable[Row]]],
    texts: Sequence[str],
    *,
    batch_rows: int,
    max_tokens: int,
    settings: WorkerSettings,
    checkpoint: Callable[[], None],
    on_calls: Callable[[list[float]], None],
) -> dict[str, Row | None]:
    """What the model says of each text; None where it refused the text. `texts` has no repeats."""
    found: dict[str, Row | None] = {}

    def collect(batch: list[str], pending: PredictionFuture[Iterable[Row]]) -> None:
        try:
            rows = pending.result()
        except ModelRejected as error:
            if len(batch) == 1:
                if error.code in AMBIGUOUS:
                    _check_model_answers(submit)
                found[batch[0]] = None
                return
            # One text fails the whole request: bisect until only the failing ones are left.
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                checkpoint()
                collect(half, submit(half))
            return
        finally:
            on_calls(pending.durations_s)
        found.update(zip(batch, rows, strict=True))

    in_flight: deque[tuple[list[str], PredictionFuture[Iterable[Row]]]] = deque()
    try:
        for positions in micro_batches(
            [text.count(" ") + 1 for text in texts],
            batch_rows=batch_rows,
            batch_tokens=settings.batch_tokens,
            max_tokens=max_tokens,
        ):
            checkpoint()
            if len(in_flight) == settings.max_requests_in_flight:
                collect(*in_flight.popleft())
            batch = [texts[position] for position in positions]
            in_flight.append((batch, submit(batch)))
        while in_flight:
            checkpoint()
            collect(*in_flight.popleft())
    except BaseException:
        for _, pending in in_flight:
            pending.cancel()  # the results are no longer needed
        raise
    return found
