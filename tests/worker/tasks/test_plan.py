"""How a catalogue is cut for those who share it."""

from __future__ import annotations

import pytest

from worker.tasks.plan import chunk_bytes


@pytest.mark.parametrize("size", [250_000, 3_000_000, 4_000_001, 10_000_000])
def test_an_even_number_of_chunks_makes_up_the_file_and_none_is_too_long(size: int) -> None:
    longest = chunk_bytes(size, 2_000_000)
    assert longest <= 2_000_000
    assert -(-size // longest) % 2 == 0


@pytest.mark.parametrize("size", [996_000_001, 999_999_999])
def test_a_huge_file_is_cut_into_hardly_more_chunks_than_it_needs(size: int) -> None:
    longest = chunk_bytes(size, 2_000_000)
    assert longest <= 2_000_000
    fewest = -(-size // 2_000_000)
    assert fewest <= -(-size // longest) <= fewest + 2


def test_a_small_file_is_one_chunk() -> None:
    assert chunk_bytes(200_000, 2_000_000) == 2_000_000
