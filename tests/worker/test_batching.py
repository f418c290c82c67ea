from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from worker.batching import micro_batches


@given(
    st.lists(st.integers(1, 5000), max_size=200),
    st.integers(1, 40),
    st.integers(1, 4000),
    st.integers(1, 600),
)
def test_every_text_is_in_one_batch_and_no_batch_is_over_its_bounds(
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
