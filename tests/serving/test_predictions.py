"""What a running server answers: TensorFlow Serving's outputs, status codes and sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serving.conftest import Built
from tests.serving.server_process import (
    MODEL,
    PATIENCE_S,
    REPOSITORY,
    ModelServerProcess,
    predict_request,
    status_of,
)
from worker.model.channel import ModelChannel
from worker.model.tensors import to_floats
from worker.protos.tensorflow.core.framework import types_pb2
from worker.protos.tensorflow_serving.apis import get_model_status_pb2, predict_pb2

Request: TypeAlias = predict_pb2.PredictRequest
NOT_FOUND = grpc.StatusCode.NOT_FOUND
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE


@pytest.fixture
def channel(server: ModelServerProcess) -> Iterator[ModelChannel]:
    opened = ModelChannel(server.target)
    yield opened
    opened.close()


def test_probabilities_are_those_that_tensorflow_itself_computes(
    channel: ModelChannel, built: Built
) -> None:
    answer = channel.predict(predict_request(built.texts, version=1), timeout=PATIENCE_S)
    probabilities = to_floats(answer.outputs["probabilities"])
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, built.expected, rtol=1e-6)


def test_a_request_without_a_version_gets_the_newest_and_is_told_which(
    channel: ModelChannel,
) -> None:
    answer = channel.predict(predict_request(["a crime"]), timeout=PATIENCE_S)
    assert answer.model_spec.name == MODEL
    assert answer.model_spec.version.value == 2
    assert answer.model_spec.signature_name == "serving_default"


def test_a_pinned_version_answers_though_a_newer_one_serves(channel: ModelChannel) -> None:
    texts = ["nothing of the sort"]
    old, new = (
        channel.predict(predict_request(texts, version=version), timeout=PATIENCE_S)
        for version in (1, 2)
    )
    assert (old.model_spec.version.value, new.model_spec.version.value) == (1, 2)
    assert to_floats(old.outputs["probabilities"]).tolist() != (
        to_floats(new.outputs["probabilities"]).tolist()
    )


def test_only_the_outputs_asked_for_come_back(channel: ModelChannel) -> None:
    request = predict_request(["a crime"])
    request.output_filter.append("probabilities")
    answer = channel.predict(request, timeout=PATIENCE_S)
    assert list(answer.outputs) == ["probabilities"]


def unknown_version(request: Request) -> None:
    request.model_spec.version.value = 99


def unknown_model(request: Request) -> None:
    request.model_spec.name = "cookery"


def no_model_spec(request: Request) -> None:
    request.ClearField("model_spec")


def no_model_name(request: Request) -> None:
    request.model_spec.name = ""


def version_label(request: Request) -> None:
    request.model_spec.version_label = "stable"


def unknown_signature(request: Request) -> None:
    request.model_spec.signature_name = "translate"


def wrong_input_name(request: Request) -> None:
    request.inputs["blurb"].CopyFrom(request.inputs["summary"])
    del request.inputs["summary"]


def one_input_more(request: Request) -> None:
    request.inputs["title"].CopyFrom(request.inputs["summary"])


def wrong_data_type(request: Request) -> None:
    request.inputs["summary"].dtype = types_pb2.DT_INT32


def wrong_shape(request: Request) -> None:
    request.inputs["summary"].tensor_shape.dim.add().size = 1


def fewer_values_than_the_shape_says(request: Request) -> None:
    request.inputs["summary"].tensor_shape.dim[0].size = 2**40


def negative_shape(request: Request) -> None:
    request.inputs["summary"].tensor_shape.dim[0].size = -1


def unknown_output(request: Request) -> None:
    request.output_filter.append("mood")


def output_twice(request: Request) -> None:
    request.output_filter.extend(["probabilities", "probabilities"])


def a_text_the_model_refuses(request: Request) -> None:
    request.inputs["summary"].string_val[0] = b"poisonword"


@pytest.mark.parametrize(
    ("spoil", "code", "sentence"),
    [
        (unknown_version, NOT_FOUND, "Servable not found for request: Specific(genre, 99)"),
        (unknown_model, NOT_FOUND, "Servable not found for request: Latest(cookery)"),
        (no_model_spec, INVALID_ARGUMENT, "Missing ModelSpec"),
        (no_model_name, INVALID_ARGUMENT, "ModelSpec has no name specified."),
        (version_label, INVALID_ARGUMENT, "Unrecognized servable version label: stable"),
        (unknown_signature, FAILED_PRECONDITION, 'Serving signature key "translate" not found.'),
        (
            wrong_input_name,
            INVALID_ARGUMENT,
            "Sent extra: {blurb}. Missing but required: {summary}",
        ),
        (one_input_more, INVALID_ARGUMENT, "Sent extra: {title}."),
        (wrong_data_type, INVALID_ARGUMENT, 'input "summary" expects string, got int32'),
        (wrong_shape, INVALID_ARGUMENT, 'input "summary" expects shape (None,), got [1, 1]'),
        (fewer_values_than_the_shape_says, INVALID_ARGUMENT, "tensor parsing error"),
        (negative_shape, INVALID_ARGUMENT, 'input "summary" has no definite shape'),
        (unknown_output, INVALID_ARGUMENT, "output tensor alias not found in signature: mood"),
        (output_twice, INVALID_ARGUMENT, "duplicate output tensor alias: probabilities"),
        (a_text_the_model_refuses, INVALID_ARGUMENT, "a poisoned text"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_request_gets_tensorflow_servings_status(
    channel: ModelChannel,
    spoil: Callable[[Request], None],
    code: grpc.StatusCode,
    sentence: str,
) -> None:
    request = predict_request(["a crime"])
    spoil(request)
    with pytest.raises(grpc.RpcError) as caught:
        channel.predict(request, timeout=PATIENCE_S)
    assert caught.value.code() is code
    assert sentence in (caught.value.details() or "")


def test_a_prediction_is_broken_off_at_its_deadline(
    channel: ModelChannel, server: ModelServerProcess
) -> None:
    endless = predict_request(["slowword " * 10_000])
    # More of them than run at a time: if they ran on, nothing else would be answered for an hour.
    calls = [channel.predict.future(endless, timeout=0.5) for _ in range(8)]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.client().submit(1, ["a crime"]).result().shape == (1, 10)


def test_status_names_every_version(channel: ModelChannel) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    answer = channel.status(request, timeout=PATIENCE_S)
    assert [(s.version, s.state) for s in answer.model_version_status] == [
        (1, AVAILABLE),
        (2, AVAILABLE),
    ]
    assert status_of(channel, 1).state == AVAILABLE


@pytest.mark.parametrize(
    ("spoil", "code", "sentence"),
    [
        (unknown_version, NOT_FOUND, "Could not find version 99 of model genre"),
        (unknown_model, NOT_FOUND, "Could not find any versions of model cookery"),
        (no_model_spec, INVALID_ARGUMENT, "Missing ModelSpec"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_status_of_something_unknown_is_an_error(
    channel: ModelChannel,
    spoil: Callable[[get_model_status_pb2.GetModelStatusRequest], None],
    code: grpc.StatusCode,
    sentence: str,
) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    spoil(request)
    with pytest.raises(grpc.RpcError) as caught:
        channel.status(request, timeout=PATIENCE_S)
    assert caught.value.code() is code
    assert sentence in (caught.value.details() or "")


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService"])
def test_a_server_with_a_version_is_healthy(server: ModelServerProcess, service: str) -> None:
    with grpc.insecure_channel(server.target) as plain:
        answer = health_pb2_grpc.HealthStub(plain).Check(
            health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE_S
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


METADATA = """
import json, sys
import grpc
from serving.tensorflow_setup import import_tensorflow
import_tensorflow()
from tensorflow_serving.apis import get_model_metadata_pb2 as m, prediction_service_pb2_grpc as s
stub = s.PredictionServiceStub(grpc.insecure_channel(sys.argv[1]))
request = m.GetModelMetadataRequest(metadata_field=["signature_def"])
request.model_spec.name = "genre"
answer = stub.GetModelMetadata(request, timeout=60)
signatures = m.SignatureDefMap()
answer.metadata["signature_def"].Unpack(signatures)
try:
    stub.GetModelMetadata(m.GetModelMetadataRequest(model_spec=request.model_spec), timeout=60)
except grpc.RpcError as error:
    refused = [error.code().name, error.details()]
print(json.dumps({
    "version": answer.model_spec.version.value,
    "signatures": {
        name: [sorted(d.inputs), sorted(d.outputs)] for name, d in signatures.signature_def.items()
    },
    "refused": refused,
}))
"""


def test_metadata_names_the_signatures_to_tensorflow_servings_own_client(
    server: ModelServerProcess,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", METADATA, server.target],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": 2,
        "signatures": {
            "serving_default": [["summary"], ["probabilities"]],
            "describe": [["query"], ["description"]],
            "evidence": [["summary"], ["weights", "words"]],
        },
        "refused": [
            "INVALID_ARGUMENT",
            "GetModelMetadataRequest must specify at least one metadata_field",
        ],
    }
