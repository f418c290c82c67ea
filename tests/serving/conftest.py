"""Tiny models built once, and real servers with them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.server_process import MODEL, REPOSITORY, TIMEOUT_S, ModelServerProcess
from tests.waiting import eventually

# One process builds all, because importing TensorFlow takes longer than building.
# TensorFlow itself computes the expected probabilities, without the server.
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


class TinyModels:
    """The versions of the tiny model.

    1 has warm-up requests, 4 fails its own, 5 and 6 lack a signature, 7 fails its own while the
    file `needed` does not exist.
    """

    def __init__(self, folder: Path, expected: list[list[float]]) -> None:
        self.folder = folder
        self.needed = folder / "needed"
        self.texts = SOME_TEXTS
        self.expected = expected

    def version(self, number: int) -> Path:
        return self.folder / str(number)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    folder = tmp_path_factory.mktemp("tiny_models")
    result = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder), json.dumps(SOME_TEXTS)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * TIMEOUT_S,
    )
    assert result.returncode == 0, result.stderr
    return TinyModels(folder, json.loads(result.stdout))


@pytest.fixture(scope="session")
def server(
    tiny_models: TinyModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServerProcess]:
    """A server with versions 1 and 2, for tests that only send requests."""
    root = tmp_path_factory.mktemp("server")
    server = _server_over(root, tiny_models, versions=(1, 2), settings={})
    yield server
    server.kill()


@pytest.fixture(scope="session")
def empty_server(
    tiny_models: TinyModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServerProcess]:
    """A server that starts with an empty folder, for tests that publish versions."""
    server = _server_over(
        tmp_path_factory.mktemp("empty_server"), tiny_models, versions=(), settings={}
    )
    yield server
    server.kill()


@pytest.fixture
def start_server(tiny_models: TinyModels, tmp_path: Path) -> Iterator[StartServer]:
    """Start servers that tests may stop; `start_server(1, 2, grace_s=3)` has versions 1 and 2."""
    servers: list[ModelServerProcess] = []
    numbers = itertools.count()

    def start(*versions: int, target: str | None = None, **settings: object) -> ModelServerProcess:
        root = tmp_path / f"root{next(numbers)}"
        servers.append(_server_over(root, tiny_models, versions, settings, target))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


def _server_over(
    root: Path,
    tiny_models: TinyModels,
    versions: tuple[int, ...],
    settings: dict[str, object],
    target: str | None = None,
) -> ModelServerProcess:
    (root / MODEL).mkdir(parents=True)
    server = ModelServerProcess(root, root / "log", target=target, **settings)
    for version in versions:
        server.publish(tiny_models.version(version), version)
    server.start()
    if versions:
        client = server.client(retry_for_s=TIMEOUT_S)
        eventually(lambda: len(client.versions()) == len(versions))
        client.close()
    return server
