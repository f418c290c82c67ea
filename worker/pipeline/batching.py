"""Groups texts into micro-batches at the least estimated cost. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

# Overhead of a call, in rows of the same length; measured with the shipped recurrent models.
_CALL_ROWS = 22
# TensorFlow prepares its kernels per number of rows, so multiples of `_ROW_STEP` are cheaper:
# any other number costs as much as `_ODD_ROWS` more rows.
_ROW_STEP = 32
_ODD_ROWS = 5
# Batches are divided only where the length crosses a multiple of `max_tokens / _STEPS`.
_STEPS = 32


def micro_batches(
    lengths: Sequence[int], *, batch_rows: int, batch_tokens: int, max_tokens: int
) -> list[list[int]]:
    """Group positions into batches of texts of similar length, at the least estimated cost.

    The cost of a batch is the length of its longest text times its rows plus the overhead in rows.
    Many texts therefore form batches with little padding, and few texts do not form tiny batches.

    Args:
        lengths: tokens of each text.
        batch_rows: maximum texts per batch.
        batch_tokens: maximum tokens per batch, with each text padded to the longest.
        max_tokens: tokens of a text that the model reads; the rest is ignored.

    Returns:
        Lists of positions; each position occurs once. A text longer than `batch_tokens` is a batch
        of its own.
    """
    # The sort is stable, so the same chunk always gives the same batches: results are reproducible.
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    read = [max(min(lengths[i], max_tokens), 1) for i in order]
    step = max(1, max_tokens // _STEPS)
    ends = [i for i in range(1, len(read)) if read[i] // step != read[i - 1] // step]
    ends = sorted({0, *ends, *(i // _ROW_STEP * _ROW_STEP for i in ends), len(read)})

    def max_rows(longest: int) -> int:
        rows = min(batch_rows, batch_tokens // longest)
        return rows // _ROW_STEP * _ROW_STEP or max(1, rows)

    # cheapest[j]: the least cost of the texts before ends[j], and where their last run begins.
    cheapest: list[tuple[int, int]] = [(0, 0)]
    for j in range(1, len(ends)):
        longest = read[ends[j] - 1]
        costs = []
        for i in range(j):
            rows = ends[j] - ends[i]
            calls, odd = -(-rows // max_rows(longest)), rows % _ROW_STEP > 0
            spent = rows + calls * _CALL_ROWS + odd * _ODD_ROWS
            costs.append((cheapest[i][0] + longest * spent, i))
        cheapest.append(min(costs))
    cuts = [len(ends) - 1]
    while cuts[-1]:
        cuts.append(cheapest[cuts[-1]][1])
    batches: list[list[int]] = []
    for i, j in pairwise(reversed(cuts)):
        batches += _evenly(order[ends[i] : ends[j]], max_rows(read[ends[j] - 1]))
    return batches


def _evenly(run: list[int], max_items: int) -> list[list[int]]:
    """Divide into the fewest parts of at most `max_items` items; all have the same size but the last."""
    parts = -(-len(run) // max_items)
    size = min(max_items, -(-len(run) // (parts * _ROW_STEP)) * _ROW_STEP)
    return [run[start : start + size] for start in range(0, len(run), size)]
