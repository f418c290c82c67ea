"""The list of slow tests names existing files."""

from __future__ import annotations

from tests.conftest import QUICK, SLOW, TESTS


def test_each_entry_of_the_slow_tier_exists() -> None:
    assert not [name for name in (*SLOW, QUICK) if not (TESTS / name).exists()]
