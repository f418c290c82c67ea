"""A fake API for the tests of the client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.fake_api import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi().serving() as fake:
        yield fake
