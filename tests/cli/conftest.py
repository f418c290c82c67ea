"""A fake API for the client, a folder for everything else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.fake_api import FakeApi


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi().serving() as fake:
        yield fake
