"""A real model server process, and helpers for its clients."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc

from tests.waiting import WITHIN_S
from worker.model.channel import ModelChannel
from worker.model.client import ModelClient
from worker.model.tensors import fill_texts
from worker.protos.tensorflow_serving.apis import get_model_status_pb2, predict_pb2

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = "genre"
TIMEOUT_S = WITHIN_S


def free_port() -> int:
    """A TCP port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ModelServerProcess:
    """`python -m serving` over a model root; restartable on the same address."""

    def __init__(
        self, model_root: Path, log: Path, *, target: str | None = None, **settings: object
    ) -> None:
        """`target` is the address to listen on; by default a free port."""
        self.model_folder = model_root / MODEL
        self.target = target or f"127.0.0.1:{free_port()}"
        self._log = log
        self._environment = {
            **os.environ,
            "SPINELABEL_MODEL_ROOT": str(model_root),
            "SPINELABEL_MODEL_NAME": MODEL,
            "SPINELABEL_SERVING_ADDRESS": self.target,
            "SPINELABEL_SERVING_POLL_S": "0.1",
            **{
                f"SPINELABEL_SERVING_{name.upper()}": str(value) for name, value in settings.items()
            },
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it may not answer yet."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving"],
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def run_until_exit(self) -> subprocess.CompletedProcess[str]:
        """Run a server that must refuse to start until it exits."""
        return subprocess.run(
            [sys.executable, "-m", "serving"],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )

    def terminate(self) -> int:
        """Send SIGTERM; return the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(TIMEOUT_S)

    def kill(self) -> None:
        """Send SIGKILL; may be called repeatedly."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(TIMEOUT_S)

    @property
    def log(self) -> str:
        """The output of the process so far."""
        return self._log.read_text(encoding="utf-8")

    def client(self, *, deadline_s: float = TIMEOUT_S, retry_for_s: float = 0.0) -> ModelClient:
        """The worker's client, which by default fails at the first error."""
        return ModelClient(self.target, MODEL, deadline_s=deadline_s, retry_for_s=retry_for_s)

    def publish(self, version_folder: Path, version: int) -> None:
        """Copy a built version into the model folder under a number, then rename it into place."""
        unfinished = self.model_folder / f".{version}.unfinished"
        shutil.copytree(version_folder, unfinished)
        unfinished.rename(self.model_folder / str(version))


def predict_request(texts: Sequence[str], version: int | None = None) -> predict_pb2.PredictRequest:
    """A request for the default signature."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = MODEL
    if version is not None:
        request.model_spec.version.value = version
    fill_texts(request.inputs["summary"], texts)
    return request


def status_of(channel: ModelChannel, version: int) -> get_model_status_pb2.ModelVersionStatus:
    """The server's status of one version; state 0 if the version is unknown."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    request.model_spec.version.value = version
    try:
        response = channel.status(request, timeout=TIMEOUT_S)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return get_model_status_pb2.ModelVersionStatus()
    return response.model_version_status[0]
