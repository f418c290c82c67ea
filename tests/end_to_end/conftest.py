"""One local stack for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stack import Stack, many_rows, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started_stack:
        yield started_stack


@pytest.fixture(scope="session", name="catalogue")
def _catalogue() -> bytes:
    return many_rows()
