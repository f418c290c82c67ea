"""The stack in containers, built and started once for all tests of this folder, then removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.compose.catalogue import check_labelled, large_catalogue
from tests.compose.engine import BASE_IMAGES, OFFICIAL, ROOT, Project, missing_for_compose, run
from tests.compose.service import Service
from tests.compose.stack import JOB_SECONDS, MEASUREMENTS, Stack, new_project, report, timed

TAG = "compose-test"
# A job must be in progress while containers are killed and started, on any machine.
JOB_TAKES_S = 25
MIN_ROWS, MAX_ROWS = 20_000, 120_000
PROBE_ROWS = 6_000


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compose: runs the stack in containers (make compose-test)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASUREMENTS:
        terminalreporter.section("measurements of the stack in containers")
        terminalreporter.write_line("\n".join(MEASUREMENTS))


@contextmanager
def host_certificates(checkout: Path = ROOT) -> Iterator[None]:
    """Copy the certificates that fetch packages on this machine into the folder for the builds."""
    target = checkout / "deploy" / "extra-ca" / "compose-test.crt"
    paths = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    bundle = next((Path(path) for path in paths if path and Path(path).is_file()), None)
    if bundle is not None:
        shutil.copyfile(bundle, target)
    try:
        yield
    finally:
        target.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def images() -> str:
    """The tag of the stack's images, built from the working tree."""
    if os.environ.get("SPINELABEL_COMPOSE_TEST") != "1":
        pytest.skip("make compose-test runs these")
    if (missing := missing_for_compose()) is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no stack can be run: {missing}", pytrace=False)
        pytest.skip(f"no stack can be run: {missing}")
    with timed("base images"):
        report(run(BASE_IMAGES, timeout_s=900).strip().replace("\n", "; "))
    builder = Project("spinelabel-build", 0, {"SPINELABEL_TAG": TAG})
    with timed("images of the stack"), host_certificates():
        # One by one, smallest first, so that the classic builder reuses the common layers.
        for service in ("api", "setup", "worker", "beat", "trainer"):
            builder.compose("--profile", "train", "build", service, timeout_s=1200)
        builder.compose("pull" if OFFICIAL else "build", "model", timeout_s=1200)
    official, embedded = "the official image", "the embedded one, in place of the official image"
    report(f"model server: {official if OFFICIAL else embedded}")
    return TAG


@pytest.fixture(scope="session")
def stack(images: str) -> Iterator[Stack]:
    # The tests send the same rows repeatedly, and need them to be labelled each time.
    project = new_project(images, SPINELABEL_PREDICTION_CACHE_MAX_ENTRIES="0")
    service = Service(f"http://127.0.0.1:{project.port}")
    running_stack = Stack(project, service)
    try:
        with timed("first start, until jobs can be labelled"):
            running_stack.up()
        yield running_stack
    finally:
        service.close()
        project.remove()


@pytest.fixture(scope="session")
def catalogue(stack: Stack) -> bytes:
    """A catalogue that takes this stack about `JOB_TAKES_S`."""
    probe = stack.service.submit(large_catalogue(PROBE_ROWS, seed=1))
    rate = float(stack.service.wait_ended(probe, seconds=JOB_SECONDS)["rows_per_second"])
    rows = int(min(max(rate * JOB_TAKES_S, MIN_ROWS), MAX_ROWS))
    content = large_catalogue(rows)
    report(f"{rate:.0f} rows a second; the catalogue has {rows} rows, {len(content) / 1e6:.0f} MB")
    return content


@pytest.fixture(scope="session")
def undisturbed(stack: Stack, catalogue: bytes) -> bytes:
    """The result of the catalogue without faults."""
    with timed("job, undisturbed"):
        result = stack.service.wait_result(stack.service.submit(catalogue), seconds=JOB_SECONDS)
    check_labelled(catalogue, result)
    return result
