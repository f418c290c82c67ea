"""Versions that are added to and removed from the model folder at run time."""

from __future__ import annotations

import json
import shutil
import threading

import grpc
import pytest

from tests.serving.conftest import Built, StartServer
from tests.serving.server_process import (
    PATIENCE_S,
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
    """Sequential predictions from two threads; records the version of each answer."""

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
                answer = self._channel.predict(predict_request(["a crime"]), timeout=PATIENCE_S)
                self.versions.append(answer.model_spec.version.value)
            except grpc.RpcError as error:
                self.failures.append(error)

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()


@pytest.fixture
def fresh(lively_server: ModelServerProcess) -> int:
    """A version number above all that the server has seen."""
    taken = [int(entry.name) for entry in lively_server.model_folder.iterdir()]
    return max(taken, default=0) + 1


def events(server: ModelServerProcess, name: str, *, version: int) -> list[dict[str, object]]:
    """The log entries with this event about this version."""
    entries = map(json.loads, server.log.splitlines())
    return [e for e in entries if e["event"] == name and e.get("version") == version]


def publish(server: ModelServerProcess, built: Built, *versions: int) -> None:
    for version in versions:
        server.publish(built.version(1), version)
        until_state(server, version, States.AVAILABLE)


def test_a_server_without_a_version_waits_for_one(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    server = lively_server
    for entry in server.model_folder.iterdir():
        shutil.rmtree(entry)
    eventually(lambda: "no_version_served" in server.log)
    server.publish(built.version(1), fresh)
    assert server.client(retry_for_s=PATIENCE_S).versions()[0] == fresh


def test_new_versions_are_loaded_without_failing_requests(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    server = lively_server
    first, second, third = range(fresh, fresh + 3)
    publish(server, built, first)
    traffic = Traffic(server.target)
    eventually(lambda: first in traffic.versions)
    publish(server, built, second)
    eventually(lambda: second in traffic.versions)
    publish(server, built, third)
    eventually(lambda: third in traffic.versions)
    until_state(server, first, States.END)
    traffic.end()
    assert traffic.failures == []
    assert set(traffic.versions) == {first, second, third}


def test_the_two_newest_versions_are_served(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    publish(lively_server, built, fresh, fresh + 1, fresh + 2)
    until_state(lively_server, fresh, States.END)
    client = lively_server.client()
    assert client.versions()[0] == fresh + 2
    assert client.submit(fresh + 1, ["a crime"]).result().shape == (1, 10)
    with pytest.raises(ModelUnavailable, match=rf"Specific\(genre, {fresh}\)") as caught:
        client.submit(fresh, ["a crime"]).result()
    assert caught.value.code == "NOT_FOUND"


def test_a_broken_version_is_reported_and_affects_no_other(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    server, broken = lively_server, fresh + 2
    publish(server, built, fresh, fresh + 1)
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
    for good in (fresh, fresh + 1):
        assert status_of(channel, good).state == States.AVAILABLE
    assert server.client().versions()[0] == fresh + 1
    channel.close()


def test_a_broken_version_is_loaded_once_its_files_are_replaced(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    broken = lively_server.model_folder / str(fresh)
    broken.mkdir()
    until_state(lively_server, fresh, States.END)
    shutil.copytree(built.version(1), broken, dirs_exist_ok=True)
    until_state(lively_server, fresh, States.AVAILABLE)


def test_a_version_that_fails_its_own_warm_up_requests_does_not_serve(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    publish(lively_server, built, fresh)
    lively_server.publish(built.version(4), fresh + 1)
    until_state(lively_server, fresh + 1, States.END)
    assert lively_server.client().versions()[0] == fresh
    assert "a poisoned text" in lively_server.log


def test_loading_is_retried_after_a_transient_failure(
    start_server: StartServer, built: Built
) -> None:
    server = start_server(1, retry_s=0.2)
    server.publish(built.version(7), 2)
    until_state(server, 2, States.END)
    built.needed.touch()
    until_state(server, 2, States.AVAILABLE)


def test_the_warm_up_requests_of_a_version_are_run(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    publish(lively_server, built, fresh)
    (entry,) = events(lively_server, "version_loaded", version=fresh)
    assert entry["warm_up_requests"] == 3


def test_a_version_whose_folder_is_removed_is_no_longer_served(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    publish(lively_server, built, fresh, fresh + 1)
    shutil.rmtree(lively_server.model_folder / str(fresh + 1))
    until_state(lively_server, fresh + 1, States.END)
    assert lively_server.client().versions()[0] == fresh


def test_versions_stay_served_when_the_model_folder_cannot_be_read(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    publish(lively_server, built, fresh)
    folder = lively_server.model_folder
    moved = folder.rename(folder.with_name("moved"))
    eventually(lambda: "model_folder_unreadable" in lively_server.log)
    assert lively_server.client().submit(fresh, ["a crime"]).result().shape == (1, 10)
    moved.rename(folder)


def test_models_without_the_signatures_are_a_mismatch(
    lively_server: ModelServerProcess, built: Built, fresh: int
) -> None:
    mute, idle = fresh, fresh + 1
    lively_server.publish(built.version(5), mute)
    lively_server.publish(built.version(6), idle)
    until_state(lively_server, idle, States.AVAILABLE)
    until_state(lively_server, mute, States.AVAILABLE)
    # A retry would exceed the time limit of the test.
    client = lively_server.client(retry_for_s=10_000)
    with pytest.raises(ModelMismatch, match='"describe" not found'):
        client.describe(mute)
    with pytest.raises(ModelMismatch, match='"serving_default" not found'):
        client.submit(idle, ["a crime"]).result()
