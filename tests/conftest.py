"""The tiers of the tests, and fixtures with a real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local_stack.data.redis_server import RedisServer
from jobs.logs.setup import configure_structlog
from tests.stack import SAMPLE

TESTS = Path(__file__).parent
# What only `make test-all` runs: files and folders below `tests`, and why they are not quick.
SLOW = {
    "api/server/test_slow_clients.py": "hundreds of slow connections",
    "api/server/test_transfer_limits.py": "large transfers",
    "api/test_schemathesis.py": "requests generated from the whole API description",
    "catalogue/compressed/test_xlsx_bounds.py": "workbooks that are large when unpacked",
    "catalogue/test_growth.py": "time and memory of large inputs",
    "chaos": "fault injection and fuzzing",
    "cli/commands/test_keys.py": "APIs and key commands that are started",
    "cli/doctor/test_doctor.py": "models that are loaded, stacks that are started",
    "compose": "containers",
    "deploy": "bills of materials",
    "docs/test_blocks.py": "every command in the documentation",
    "docs/test_ml_handbook.py": "training",
    "docs/test_site.py": "the documentation site",
    "end_to_end": "stacks whose processes are killed",
    "page": "a browser",
    "serving/test_client_and_server.py": "model servers",
    "serving/test_official_config.py": "model servers",
    "serving/test_process.py": "model servers",
    "serving/test_versions.py": "model servers",
    "speed": "measurements",
    "training/ensemble": "training",
    "training/features/test_embeddings.py": "training",
    "training/features/test_stems.py": "training",
    "training/neural/test_architectures.py": "training",
    "training/neural/test_stage.py": "training",
    "training/test_compare.py": "training",
    "training/test_inference.py": "training",
    "training/test_shipped_model.py": "TensorFlow predictions",
    "training/test_train.py": "training",
    "worker/liveness/test_consumer_watchdog.py": "workers that stop consuming",
    "worker/liveness/test_health_check.py": "workers that are stopped",
    "worker/liveness/test_outages.py": "Redis servers that restart",
    "worker/test_metrics.py": "workers that are killed",
    "worker/webhooks/test_sender.py": "senders that are killed",
}
# The end-to-end pass of `make test`.
QUICK = "end_to_end/test_labelling.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tier."""
    for item in items:
        path = item.path.relative_to(TESTS)
        names = {path.as_posix(), *(parent.as_posix() for parent in path.parents)}
        if path.as_posix() != QUICK and not names.isdisjoint(SLOW):
            item.add_marker(pytest.mark.slow)


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
