"""Start and shutdown of `python -m serving`."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from tests.serving.conftest import StartServer
from tests.serving.server_process import MODEL, TIMEOUT_S, ModelServerProcess
from tests.waiting import eventually
from worker.model.client import ModelUnavailable


def only_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / MODEL).mkdir()
    server = ModelServerProcess(tmp_path, tmp_path / "log")
    host, port = server.target.split(":")
    with socket.socket() as other:
        other.bind((host, int(port)))
        other.listen()
        result = server.run_until_exit()
    assert result.returncode == 1
    assert f"cannot listen on {server.target}" in only_line(result.stderr)


def test_a_unix_socket_is_private_and_is_replaced_after_a_crash(
    start_server: StartServer, tmp_path: Path
) -> None:
    path = tmp_path / "model.sock"
    server = start_server(1, target=f"unix:{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.client().submit(1, ["a crime"]).result().shape == (1, 10)
    server.kill()
    server.start()
    client = server.client(retry_for_s=TIMEOUT_S)
    assert client.submit(1, ["a crime"]).result().shape == (1, 10)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_unix_socket_in_use_is_not_replaced(start_server: StartServer, tmp_path: Path) -> None:
    first = start_server(1, target=f"unix:{tmp_path / 'model.sock'}")
    (tmp_path / MODEL).mkdir()
    second = ModelServerProcess(tmp_path, tmp_path / "log", target=first.target)
    result = second.run_until_exit()
    assert result.returncode == 1
    assert f"cannot listen on {first.target}" in only_line(result.stderr)
    assert first.client().submit(1, ["a crime"]).result().shape == (1, 10)


def test_a_unix_socket_in_a_missing_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / MODEL).mkdir()
    target = f"unix:{tmp_path / 'nowhere' / 'model.sock'}"
    result = ModelServerProcess(tmp_path, tmp_path / "log", target=target).run_until_exit()
    assert result.returncode == 1
    assert f"cannot listen on {target}: its folder must exist" in only_line(result.stderr)


def test_a_missing_model_folder_is_reported_in_one_line(tmp_path: Path) -> None:
    result = ModelServerProcess(tmp_path / "missing", tmp_path / "log").run_until_exit()
    assert result.returncode == 1
    entry = json.loads(only_line(result.stderr))
    assert entry["event"] == "model_folder_missing"
    assert entry["folder"] == str(tmp_path / "missing" / MODEL)


def test_an_invalid_setting_is_named(tmp_path: Path) -> None:
    result = ModelServerProcess(tmp_path, tmp_path / "log", poll_s=0).run_until_exit()
    assert result.returncode == 2
    assert "SPINELABEL_SERVING_POLL_S: Input should be greater than 0" in only_line(result.stderr)


class BlockedPrediction:
    """A prediction that runs until the test releases it."""

    def __init__(self, server: ModelServerProcess, folder: Path) -> None:
        self._release = folder / "release"
        self.pending = server.client().submit(1, [f"until:{self._release} crime"])
        eventually(self._release.with_name("release.reached").exists)

    def release(self) -> None:
        self._release.touch()


def test_sigterm_lets_running_predictions_finish_and_rejects_new_ones(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(1, grace_s=10 * TIMEOUT_S)
    blocked = BlockedPrediction(server, tmp_path)
    assert server.process is not None
    server.process.terminate()
    eventually(lambda: "model_server_stopping" in server.log)
    with pytest.raises(ModelUnavailable):
        server.client().submit(1, ["a crime"]).result()
    blocked.release()
    assert blocked.pending.result().shape == (1, 10)
    assert server.process.wait(TIMEOUT_S) == 0
    assert "model_server_stopped" in server.log


def test_sigterm_ends_the_server_after_the_grace_period(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(1, grace_s=0.1)
    blocked = BlockedPrediction(server, tmp_path)
    assert server.terminate() == 0
    with pytest.raises(ModelUnavailable):
        blocked.pending.result()


def test_the_log_has_only_lines_of_the_server(server: ModelServerProcess) -> None:
    server.client().submit(1, ["a crime"]).result()
    loggers = [json.loads(line)["logger"] for line in server.log.splitlines()]
    assert {name.partition(".")[0] for name in loggers} == {"serving"}, server.log
