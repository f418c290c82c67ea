"""Versions that are added to and removed from the model folder at run time."""

from __future__ import annotations

import json
import shutil
import threading

import grpc
import pytest

from tests.serving.conftest import StartServer, TinyModels
from tests.serving.server_process import (
    TIMEOUT_S,
    ModelServerProcess,
    predict_request,
    status_of,
)
from tests.waiting import eventually
from worker.model.channel import ModelChannel
from worker.model.client import ModelMismatch, ModelUnavailable
from worker.protos.tensorflow_serving.apis import get_model_status_pb2

States = get_model_status_pb2.ModelVersionStatus


def until_state(server: ModelServerProcess, version: int, state: int) -> None:
    channel = ModelChannel(server.target)
    eventually(lambda: bool(status_of(channel, version).state == state))
    channel.close()


class Traffic:
    """Sequential predictions from two threads; records the version of each response."""

    def __init__(self, target: str) -> None:
        self.versions: list[int] = []
        self.failures: list[grpc.RpcError] = []
        self._channel = ModelChannel(target)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._flow) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _flow(self) -> None:
        while not self._stop.is_set():
            try:
                response = self._channel.predict(predict_request(["a crime"]), timeout=TIMEOUT_S)
                self.versions.append(response.model_spec.version.value)
            except grpc.RpcError as error:
                self.failures.append(error)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()


@pytest.fixture
def next_version(empty_server: ModelServerProcess) -> int:
    """A version number above all that the server knows."""
    numbers = [int(entry.name) for entry in empty_server.model_folder.iterdir()]
    return max(numbers, default=0) + 1


def events(server: ModelServerProcess, name: str, *, version: int) -> list[dict[str, object]]:
    """The log entries with this event about this version."""
    entries = map(json.loads, server.log.splitlines())
    return [e for e in entries if e["event"] == name and e.get("version") == version]


def publish(server: ModelServerProcess, tiny_models: TinyModels, *versions: int) -> None:
    for version in versions:
        server.publish(tiny_models.version(1), version)
        until_state(server, version, States.AVAILABLE)


def test_a_server_without_a_version_waits_for_one(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    server = empty_server
    for entry in server.model_folder.iterdir():
        shutil.rmtree(entry)
    eventually(lambda: "no_version_served" in server.log)
    server.publish(tiny_models.version(1), next_version)
    assert server.client(retry_for_s=TIMEOUT_S).versions()[0] == next_version


def test_new_versions_are_loaded_without_failing_requests(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    server = empty_server
    first, second, third = range(next_version, next_version + 3)
    publish(server, tiny_models, first)
    traffic = Traffic(server.target)
    eventually(lambda: first in traffic.versions)
    publish(server, tiny_models, second)
    eventually(lambda: second in traffic.versions)
    publish(server, tiny_models, third)
    eventually(lambda: third in traffic.versions)
    until_state(server, first, States.END)
    traffic.end()
    assert traffic.failures == []
    assert set(traffic.versions) == {first, second, third}


def test_the_two_newest_versions_are_served(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    publish(empty_server, tiny_models, next_version, next_version + 1, next_version + 2)
    until_state(empty_server, next_version, States.END)
    client = empty_server.client()
    assert client.versions()[0] == next_version + 2
    assert client.submit(next_version + 1, ["a crime"]).result().shape == (1, 10)
    with pytest.raises(ModelUnavailable, match=rf"Specific\(genre, {next_version}\)") as caught:
        client.submit(next_version, ["a crime"]).result()
    assert caught.value.code == "NOT_FOUND"


def test_a_broken_version_is_reported_and_affects_no_other(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    server, broken = empty_server, next_version + 2
    publish(server, tiny_models, next_version, next_version + 1)
    unfinished = server.model_folder / ".unfinished"
    unfinished.mkdir()
    (unfinished / "saved_model.pb").write_bytes(b"this is no model")
    unfinished.rename(server.model_folder / str(broken))
    until_state(server, broken, States.END)
    channel = ModelChannel(server.target)
    status = status_of(channel, broken).status
    assert status.error_code != 0
    assert status.error_message
    (entry,) = events(server, "version_load_failed", version=broken)
    assert entry["model"] == "genre"
    assert entry["error"]
    for good in (next_version, next_version + 1):
        assert status_of(channel, good).state == States.AVAILABLE
    assert server.client().versions()[0] == next_version + 1
    channel.close()


def test_a_broken_version_is_loaded_once_its_files_are_replaced(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    broken = empty_server.model_folder / str(next_version)
    broken.mkdir()
    until_state(empty_server, next_version, States.END)
    shutil.copytree(tiny_models.version(1), broken, dirs_exist_ok=True)
    until_state(empty_server, next_version, States.AVAILABLE)


def test_a_version_that_fails_its_own_warm_up_requests_does_not_serve(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    publish(empty_server, tiny_models, next_version)
    empty_server.publish(tiny_models.version(4), next_version + 1)
    until_state(empty_server, next_version + 1, States.END)
    assert empty_server.client().versions()[0] == next_version
    assert "a poisoned text" in empty_server.log


def test_loading_is_retried_after_a_transient_failure(
    start_server: StartServer, tiny_models: TinyModels
) -> None:
    server = start_server(1, retry_s=0.2)
    server.publish(tiny_models.version(7), 2)
    until_state(server, 2, States.END)
    tiny_models.needed.touch()
    until_state(server, 2, States.AVAILABLE)


def test_the_warm_up_requests_of_a_version_are_run(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    publish(empty_server, tiny_models, next_version)
    (entry,) = events(empty_server, "version_loaded", version=next_version)
    assert entry["warm_up_requests"] == 3


def test_a_version_whose_folder_is_removed_is_no_longer_served(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    publish(empty_server, tiny_models, next_version, next_version + 1)
    shutil.rmtree(empty_server.model_folder / str(next_version + 1))
    until_state(empty_server, next_version + 1, States.END)
    assert empty_server.client().versions()[0] == next_version


def test_versions_stay_served_when_the_model_folder_cannot_be_read(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    publish(empty_server, tiny_models, next_version)
    folder = empty_server.model_folder
    moved = folder.rename(folder.with_name("moved"))
    eventually(lambda: "model_folder_unreadable" in empty_server.log)
    assert empty_server.client().submit(next_version, ["a crime"]).result().shape == (1, 10)
    moved.rename(folder)


def test_models_without_the_signatures_are_a_mismatch(
    empty_server: ModelServerProcess, tiny_models: TinyModels, next_version: int
) -> None:
    without_describe, without_default = next_version, next_version + 1
    empty_server.publish(tiny_models.version(5), without_describe)
    empty_server.publish(tiny_models.version(6), without_default)
    until_state(empty_server, without_default, States.AVAILABLE)
    until_state(empty_server, without_describe, States.AVAILABLE)
    # A retry would exceed the time limit of the test.
    client = empty_server.client(retry_for_s=10_000)
    with pytest.raises(ModelMismatch, match='"describe" not found'):
        client.describe(without_describe)
    with pytest.raises(ModelMismatch, match='"serving_default" not found'):
        client.submit(without_default, ["a crime"]).result()
