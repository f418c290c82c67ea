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

# A row of probabilities, float32 [K]; None if the model rejected the text or a value is not finite.
Prediction = NDArray[np.float32] | None

# The server allocates numbers per row and vocabulary word: larger batches only cost memory.
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
    measurements: Measurements,
) -> list[Prediction]:
    """Return one prediction per text, in order.

    Args:
        checkpoint: called before each call of the model server; may raise to stop the work.
        measurements: collects the durations of the calls.

    Raises:
        ModelUnavailable: no response within the retry budget.
        ModelMismatch: this worker cannot use the model.
    """
    predictions: dict[str, Prediction] = _call_model(
        lambda batch: model.submit(version, batch),
        list(dict.fromkeys(texts)),
        batch_rows=settings.batch_rows,
        max_tokens=max_tokens,
        settings=settings,
        checkpoint=checkpoint,
        on_calls=partial(measurements.add_calls, "predict"),
    )
    finite = {
        text: row if row is not None and np.isfinite(row).all() else None
        for text, row in predictions.items()
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
    measurements: Measurements,
) -> list[Evidence]:
    """Return the evidence of each text, in order; empty if the model rejected it."""
    evidence = _call_model(
        lambda batch: model.explain(version, batch),
        list(dict.fromkeys(texts)),
        batch_rows=min(settings.batch_rows, _MAX_EXPLAINED),
        max_tokens=max_tokens,
        settings=settings,
        checkpoint=checkpoint,
        on_calls=partial(measurements.add_calls, "explain"),
    )
    return [evidence[text] or () for text in texts]


def _check_model_answers(
    submit: Callable[[list[str]], PredictionFuture[Iterable[Row]]],
) -> None:
    """Raise `ModelUnavailable` if the model fails for every text, not only for the rejected one."""
    try:
        submit([PROBE]).result()
    except ModelRejected as error:
        raise ModelUnavailable(
            f"the model fails for every text: {error}", code=error.code
        ) from error


def _call_model(
    submit: Callable[[list[str]], PredictionFuture[Iterable[Row]]],
    texts: Sequence[str],
    *,
    batch_rows: int,
    max_tokens: int,
    settings: WorkerSettings,
    checkpoint: Callable[[], None],
    on_calls: Callable[[list[float]], None],
) -> dict[str, Row | None]:
    """Return the output for each text; None if the model rejected it. `texts` are distinct."""
    outputs: dict[str, Row | None] = {}

    def collect(batch: list[str], pending: PredictionFuture[Iterable[Row]]) -> None:
        try:
            rows = pending.result()
        except ModelRejected as error:
            if len(batch) == 1:
                if error.code in AMBIGUOUS:
                    _check_model_answers(submit)
                outputs[batch[0]] = None
                return
            # One text fails the whole request: bisect until only the failing ones are left.
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                checkpoint()
                collect(half, submit(half))
            return
        finally:
            on_calls(pending.durations_s)
        outputs.update(zip(batch, rows, strict=True))

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
    return outputs
