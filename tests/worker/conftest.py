"""Real model servers with tiny models, and a worker that uses one of them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from tests.waiting import WITHIN_S
from tests.worker.worker_harness import WorkerHarness
from worker.model.client import ModelClient

ROOT = Path(__file__).parents[2]


def build_model(
    folder: Path,
    *versions: str,
    fingerprint: str,
    without: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> None:
    """Publish tiny model versions, in a child process so that this one does not load TensorFlow."""
    build = [sys.executable, "-m", "tests.serving.tiny_model", str(folder), *versions]
    build += ["--cleaning-fingerprint", fingerprint]
    if without:
        build += ["--without", *without]
    if labels:
        build += ["--labels", *labels]
    subprocess.run(build, check=True, cwd=ROOT)


@contextlib.contextmanager
def serve(
    folder: Path,
    fingerprint: str,
    *versions: str,
    without: Sequence[str] = (),
    labels: Sequence[str] = (),
) -> Iterator[str]:
    """Address of a model server for `folder`, after publishing these versions of one tiny model."""
    build_model(
        folder / "genre",
        *(versions or ("1",)),
        fingerprint=fingerprint,
        without=without,
        labels=labels,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"SPINELABEL_MODEL_ROOT": str(folder), "SPINELABEL_SERVING_ADDRESS": target}
    server = subprocess.Popen(
        [sys.executable, "-m", "serving"], cwd=ROOT, env=os.environ | settings
    )
    try:
        client = ModelClient(target, "genre", deadline_s=WITHIN_S, retry_for_s=WITHIN_S)
        client.versions()  # waits until it answers
        client.close()
        yield target
    finally:
        server.terminate()
        server.wait(WITHIN_S)


@pytest.fixture(scope="session")
def tiny_model_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a model server whose model has the cleaning rules of this worker."""
    with serve(tmp_path_factory.mktemp("models"), CLEANING_FINGERPRINT) as target:
        yield target


@pytest.fixture(scope="session")
def foreign_model_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a model server whose model was trained with other cleaning rules."""
    with serve(tmp_path_factory.mktemp("foreign"), "0" * 64) as target:
        yield target


@pytest.fixture(scope="session")
def model_without_evidence_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a model server whose model gives no evidence."""
    folder = tmp_path_factory.mktemp("without_evidence")
    with serve(folder, CLEANING_FINGERPRINT, without=["evidence"]) as target:
        yield target


@pytest.fixture
def harness(tmp_path: Path, tiny_model_target: str) -> WorkerHarness:
    """A worker with the default settings of the harness."""
    return WorkerHarness(tmp_path, tiny_model_target)


@pytest.fixture
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of a server with model versions 1 and 2, and their folder."""
    folder = tmp_path_factory.mktemp("two")
    with serve(folder, CLEANING_FINGERPRINT, "1", "2") as target:
        yield target, folder / "genre"
