"""Tiny models built once, and real servers over them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.server_process import MODEL, PATIENCE_S, REPOSITORY, ModelServerProcess
from tests.waiting import eventually

# One process builds all, because importing TensorFlow takes longer than building.
# The expected probabilities are TensorFlow's own, by another road than the server's.
BUILD = """
import json, sys
from pathlib import Path
from serving.tensorflow_setup import import_tensorflow, suppress_native_logs
suppress_native_logs()
import_tensorflow()
import tensorflow as tf
from tests.serving.tiny_model import build
folder, texts = Path(sys.argv[1]), json.loads(sys.argv[2])
build(folder, 1, warm_up_requests=3)
build(folder, 2)
build(folder, 3)
build(folder, 4, warm_up_requests=1, warm_up_text="poisonword")
build(folder, 5, without=["describe"])
build(folder, 6, without=["serving_default"])
build(folder, 7, warm_up_requests=1, warm_up_text=f"needs:{folder}/needed")
signature = tf.saved_model.load(str(folder / "1")).signatures["serving_default"]
print(json.dumps(signature(tf.constant(texts))["probabilities"].numpy().tolist()))
"""
SOME_TEXTS = ["a crime among thieves", "horror history horror", "nothing of the sort", ""]

StartServer = Callable[..., ModelServerProcess]


class Built:
    """The built versions.

    1 has warm-up requests, 4 fails on its own, 5 and 6 lack a signature, 7 fails on its own while `needed` is absent.
    """

    def __init__(self, folder: Path, expected: list[list[float]]) -> None:
        self.folder = folder
        self.needed = folder / "needed"
        self.texts = SOME_TEXTS
        self.expected = expected

    def version(self, number: int) -> Path:
        return self.folder / str(number)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder), json.dumps(SOME_TEXTS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    return Built(folder, json.loads(done.stdout))


@pytest.fixture(scope="session")
def server(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServerProcess]:
    """A server with versions 1 and 2, for tests that only ask."""
    root = tmp_path_factory.mktemp("served")
    running = _server_over(root, built, versions=(1, 2), settings={})
    yield running
    running.kill()


@pytest.fixture(scope="session")
def lively_server(
    built: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServerProcess]:
    """A server that starts with an empty folder, for tests that publish versions."""
    running = _server_over(tmp_path_factory.mktemp("lively"), built, versions=(), settings={})
    yield running
    running.kill()


@pytest.fixture
def start_server(built: Built, tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers that a test may end: `start_server(1, 2, grace_s=3)` serves versions 1 and 2."""
    started: list[ModelServerProcess] = []
    numbers = itertools.count()

    def start(*versions: int, target: str | None = None, **settings: object) -> ModelServerProcess:
        root = tmp_path / f"root{next(numbers)}"
        started.append(_server_over(root, built, versions, settings, target))
        return started[-1]

    yield start
    for running in started:
        running.kill()


def _server_over(
    root: Path,
    built: Built,
    versions: tuple[int, ...],
    settings: dict[str, object],
    target: str | None = None,
) -> ModelServerProcess:
    (root / MODEL).mkdir(parents=True)
    running = ModelServerProcess(root, root / "log", target=target, **settings)
    for version in versions:
        running.publish(built.version(version), version)
    running.start()
    if versions:
        client = running.client(retry_for_s=PATIENCE_S)
        eventually(lambda: len(client.versions()) == len(versions))
        client.close()
    return running
