"""Cuts texts into micro-batches that waste little padding. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Sequence


def micro_batches(
    lengths: Sequence[int], *, batch_rows: int, batch_tokens: int, max_tokens: int
) -> list[list[int]]:
    """Positions grouped into batches of similar length.

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
    batches: list[list[int]] = []
    current: list[int] = []
    for position in order:
        longest = max(min(lengths[position], max_tokens), 1)  # sorted: the newest is the longest
        full = len(current) == batch_rows or (len(current) + 1) * longest > batch_tokens
        if current and full:
            batches.append(current)
            current = []
        current.append(position)
    if current:
        batches.append(current)
    return batches
