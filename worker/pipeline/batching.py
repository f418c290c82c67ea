"""Cuts texts into micro-batches that cost the model little. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

# A call costs as much as some rows more would, at the same length: measured for the recurrent models that are shipped.
_CALL_ROWS = 22
# TensorFlow prepares its kernels again for each new number of rows, so batches prefer multiples of a number: any
# other costs as much as some rows more.
_ROW_STEP = 32
_ODD_ROWS = 5
# Cuts are looked for where the length changes by at least one of so many steps; finer ones gain nothing.
_STEPS = 32


def micro_batches(
    lengths: Sequence[int], *, batch_rows: int, batch_tokens: int, max_tokens: int
) -> list[list[int]]:
    """Positions grouped into batches of similar length, at the least cost.

    A batch costs its longest text's length for each row, and for `_CALL_ROWS` rows more (and `_ODD_ROWS`). So many texts
    are cut into batches of hardly any padding, and few are not cut into tiny ones.

    Args:
        lengths: tokens of each text.
        batch_rows: most texts of one batch.
        batch_tokens: most tokens of one batch, each text padded to the longest.
        max_tokens: the model reads no more tokens of a text than these.

    Returns:
        Lists of positions; each position once. A text longer than `batch_tokens` has a batch of its own.
    """
    # Ties keep their order, so the same chunk is always cut the same way: results are reproducible.
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    read = [max(min(lengths[i], max_tokens), 1) for i in order]
    step = max(1, max_tokens // _STEPS)
    ends = [i for i in range(1, len(read)) if read[i] // step != read[i - 1] // step]
    ends = sorted({0, *ends, *(i // _ROW_STEP * _ROW_STEP for i in ends), len(read)})

    def most(longest: int) -> int:
        rows = min(batch_rows, batch_tokens // longest)
        return rows // _ROW_STEP * _ROW_STEP or max(1, rows)

    # cheapest[j]: the least cost of the texts before ends[j], and where the last of its runs begins.
    cheapest: list[tuple[int, int]] = [(0, 0)]
    for j in range(1, len(ends)):
        longest = read[ends[j] - 1]
        costs = []
        for i in range(j):
            rows = ends[j] - ends[i]
            calls, odd = -(-rows // most(longest)), rows % _ROW_STEP > 0
            spent = rows + calls * _CALL_ROWS + odd * _ODD_ROWS
            costs.append((cheapest[i][0] + longest * spent, i))
        cheapest.append(min(costs))
    cuts = [len(ends) - 1]
    while cuts[-1]:
        cuts.append(cheapest[cuts[-1]][1])
    batches: list[list[int]] = []
    for i, j in pairwise(reversed(cuts)):
        batches += _evenly(order[ends[i] : ends[j]], most(read[ends[j] - 1]))
    return batches


def _evenly(run: list[int], most: int) -> list[list[int]]:
    """As few parts as possible of `most` at most, of the same size but for the last."""
    parts = -(-len(run) // most)
    size = min(most, -(-len(run) // (parts * _ROW_STEP)) * _ROW_STEP)
    return [run[start : start + size] for start in range(0, len(run), size)]
