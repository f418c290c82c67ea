"""Micro-batches: their bounds and their padding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.pipeline.batching import micro_batches


@given(
    st.lists(st.integers(1, 5000), max_size=200),
    st.integers(1, 40),
    st.integers(1, 4000),
    st.integers(1, 600),
)
def test_every_text_is_in_one_batch_and_no_batch_exceeds_its_bounds(
    lengths: list[int], rows: int, tokens: int, longest: int
) -> None:
    batches = micro_batches(lengths, batch_rows=rows, batch_tokens=tokens, max_tokens=longest)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= rows
        padded = len(batch) * max(min(lengths[position], longest) for position in batch)
        assert padded <= tokens or len(batch) == 1


def test_texts_of_similar_length_share_a_batch() -> None:
    batches = micro_batches([9, 1, 8, 2], batch_rows=2, batch_tokens=100, max_tokens=100)
    assert batches == [[1, 3], [2, 0]]


def cost(lengths: list[int], batches: list[list[int]]) -> int:
    """Padded tokens, plus the overhead of each call in rows."""
    return sum(max(lengths[i] for i in batch) * (len(batch) + 22) for batch in batches)


def test_many_texts_get_little_padding_and_few_texts_get_few_batches() -> None:
    many = [n % 200 + 20 for n in range(1000)]
    few = many[:30]
    bounds = {"batch_rows": 256, "batch_tokens": 32_768, "max_tokens": 256}
    assert cost(many, micro_batches(many, **bounds)) < 1.3 * sum(many)
    assert len(micro_batches(few, **bounds)) < 4


@given(st.lists(st.integers(1, 300), min_size=1, max_size=300))
def test_fixed_size_batches_are_hardly_cheaper(lengths: list[int]) -> None:
    batches = micro_batches(lengths, batch_rows=64, batch_tokens=10_000, max_tokens=300)
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    for size in (8, 16, 32):
        fixed = [order[start : start + size] for start in range(0, len(order), size)]
        # Fixed-size batches are not rounded to steps of length; the rounding costs at most this.
        slack = 10 * (len(lengths) + 22 * len(fixed))
        assert cost(lengths, batches) <= cost(lengths, fixed) + slack
