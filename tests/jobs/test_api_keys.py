"""API keys: generation, verification and parsing."""

from __future__ import annotations

import pytest

from jobs.api_keys import KeyLimits, generate_api_key, parse_key_id


def test_generated_keys_differ() -> None:
    assert (
        len({generate_api_key("a", is_admin=False, limits=KeyLimits())[0] for _ in range(50)}) == 50
    )


def test_a_key_with_one_changed_character_does_not_verify() -> None:
    key, new = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    other = key[:-1] + ("0" if key[-1] != "0" else "1")
    assert parse_key_id(other) == new.id
    assert new.verify(key)
    assert not new.verify(other)


@pytest.mark.parametrize("text", ["", "sl_", "Bearer", "sl_0123456789ab", "sl_0123456789ab_\udc80"])
def test_a_malformed_key_has_no_id(text: str) -> None:
    assert parse_key_id(text) is None


@pytest.mark.parametrize("owner", ["", "Anna", "a b", "-a", "a\n", "ä", "a" * 65, "a:b"])
def test_an_invalid_owner_is_refused(owner: str) -> None:
    with pytest.raises(ValueError, match="lower-case letters"):
        generate_api_key(owner, is_admin=False, limits=KeyLimits())
