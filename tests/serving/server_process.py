"""A real model server in a process of its own, and small helpers to talk to it as a client would."""

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
PATIENCE_S = WITHIN_S


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
        """`target`: address to listen on; a free port where there is none."""
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
        """Starts the process; it may not answer yet."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving"],
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def run_to_its_end(self) -> subprocess.CompletedProcess[str]:
        """For a server that must refuse to start."""
        return subprocess.run(
            [sys.executable, "-m", "serving"],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """SIGKILL, as often as one likes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_S)

    @property
    def log(self) -> str:
        """What the process has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def client(self, *, deadline_s: float = PATIENCE_S, retry_for_s: float = 0.0) -> ModelClient:
        """The worker's client, which by default fails at the first error."""
        return ModelClient(self.target, MODEL, deadline_s=deadline_s, retry_for_s=retry_for_s)

    def publish(self, version_folder: Path, version: int) -> None:
        """Copies a built version into the model folder under a number, then renames it into place."""
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
    """The server's view of one version; state 0 where it knows nothing of it."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    request.model_spec.version.value = version
    try:
        answer = channel.status(request, timeout=PATIENCE_S)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return get_model_status_pb2.ModelVersionStatus()
    return answer.model_version_status[0]
