"""Real services for the tests: every one is started here, on loopback, and stopped by its process id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local_stack.data.redis_server import RedisServer
from jobs.logs.setup import configure_structlog
from tests.stack import SAMPLE


@pytest.fixture(scope="session", autouse=True)
def structured_logs() -> None:
    """Send log events to pytest's capture instead of stdout."""
    configure_structlog()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty Redis."""
    redis_server.client().flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def sample() -> bytes:
    """The sample catalogue."""
    return SAMPLE.read_bytes()
