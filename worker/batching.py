"""Cuts texts into micro-batches that cost the model little. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

# A call costs as much as some rows more would, at the same length: measured for the recurrent models that are shipped.
_CALL_ROWS = 22
# Cuts are looked for where the length changes by at least one of so many steps; finer ones gain nothing.
_STEPS = 32


def micro_batches(
    lengths: Sequence[int], *, batch_rows: int, batch_tokens: int, max_tokens: int
) -> list[list[int]]:
    """Positions grouped into batches of similar length, at the least cost.

    A batch costs its longest text's length for each row, and for `_CALL_ROWS` rows more. So many texts are cut into
    batches of hardly any padding, and few are not cut into tiny ones.

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
    ends = [0, *ends, len(read)] if read else [0]

    def most(longest: int) -> int:
        return max(1, min(batch_rows, batch_tokens // longest))

    # cheapest[j]: the least cost of the texts before ends[j], and where the last of its runs begins.
    cheapest: list[tuple[int, int]] = [(0, 0)]
    for j in range(1, len(ends)):
        longest = read[ends[j] - 1]
        costs = []
        for i in range(j):
            rows = ends[j] - ends[i]
            calls = -(-rows // most(longest))
            costs.append((cheapest[i][0] + longest * (rows + calls * _CALL_ROWS), i))
        cheapest.append(min(costs))
    cuts = [len(ends) - 1]
    while cuts[-1]:
        cuts.append(cheapest[cuts[-1]][1])
    batches: list[list[int]] = []
    for i, j in pairwise(reversed(cuts)):
        batches += _evenly(order[ends[i] : ends[j]], most(read[ends[j] - 1]))
    return batches


def _evenly(run: list[int], most: int) -> list[list[int]]:
    """As few parts as possible of `most` at most, of nearly the same size."""
    parts = -(-len(run) // most)
    edges = [len(run) * part // parts for part in range(parts + 1)]
    return [run[i:j] for i, j in pairwise(edges)]
