"""The worker's client against a real server, including failures of the server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.serving.conftest import StartServer
from tests.serving.server_process import TIMEOUT_S, ModelServerProcess
from tests.serving.tiny_model import GENRES
from tests.waiting import eventually
from worker.model.client import ModelRejected, ModelUnavailable


def test_predictions_are_in_the_order_of_the_batch(server: ModelServerProcess) -> None:
    client = server.client()
    probabilities = client.submit(1, [f"{genre} {genre}" for genre in GENRES]).result()
    assert probabilities.dtype == np.float32
    assert [GENRES[row.argmax()] for row in probabilities] == list(GENRES)


def test_two_batches_can_be_in_flight(server: ModelServerProcess) -> None:
    client = server.client()
    slow, quick = client.submit(1, ["slowword crime"]), client.submit(2, ["horror"] * 3)
    assert quick.result().shape == (3, 10)
    assert slow.result().shape == (1, 10)


def test_a_model_describes_itself(server: ModelServerProcess) -> None:
    description = server.client().describe(2)
    assert description.labels == GENRES
    assert description.cleaning_fingerprint == "tiny"
    assert description.conformal_quantile == 0.8
    assert description.document["calibration"]["method"] == "temperature"


def test_a_model_describes_itself_while_all_slots_are_in_use(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(1, threads=1, queue=1)
    client = server.client()
    release = tmp_path / "end"
    blocked = client.submit(1, [f"until:{release}"])
    eventually(release.with_name("end.reached").exists)
    assert client.describe(1).labels == GENRES
    release.touch()
    assert blocked.result().shape == (1, 10)


def test_a_request_of_six_megabytes_is_labelled(server: ModelServerProcess) -> None:
    texts = ["crime " * 10_000] * 99 + ["horror " * 10_000]
    assert sum(len(text) for text in texts) > 6_000_000
    probabilities = server.client().submit(1, texts).result()
    assert [GENRES[row.argmax()] for row in probabilities] == ["crime"] * 99 + ["horror"]


def test_a_text_the_model_refuses_is_rejected_at_once(server: ModelServerProcess) -> None:
    # A retry would exceed the time limit of the test.
    client = server.client(retry_for_s=10_000)
    with pytest.raises(ModelRejected, match="a poisoned text") as caught:
        client.submit(1, ["a crime", "poisonword"]).result()
    assert caught.value.code == "INVALID_ARGUMENT"


def test_repeated_deadlines_make_the_model_unavailable(
    server: ModelServerProcess,
) -> None:
    client = server.client(deadline_s=0.3, retry_for_s=0.1)
    with pytest.raises(ModelUnavailable) as caught:
        client.submit(1, ["slowword " * 10_000]).result()
    assert caught.value.code == "DEADLINE_EXCEEDED"


def test_a_batch_survives_a_restart_of_a_killed_server(
    start_server: StartServer,
) -> None:
    server = start_server(1)
    client = server.client(retry_for_s=TIMEOUT_S)
    in_flight = client.submit(1, ["slowword " * 3 + "crime"])
    server.kill()
    sent_while_down = client.submit(1, ["horror"])
    server.start()
    assert GENRES[in_flight.result()[0].argmax()] == "crime"
    assert GENRES[sent_while_down.result()[0].argmax()] == "horror"


def test_a_cancelled_batch_frees_the_client(server: ModelServerProcess, tmp_path: Path) -> None:
    client = server.client()
    client.submit(1, [f"until:{tmp_path / 'end'}"]).cancel()
    assert client.submit(1, ["a crime"]).result().shape == (1, 10)
    (tmp_path / "end").touch()
