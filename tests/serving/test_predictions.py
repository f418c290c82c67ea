"""The responses of a running server: TensorFlow Serving's outputs, status codes and messages."""

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

from tests.serving.conftest import TinyModels
from tests.serving.server_process import (
    MODEL,
    REPOSITORY,
    TIMEOUT_S,
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
    model_channel = ModelChannel(server.target)
    yield model_channel
    model_channel.close()


def test_probabilities_are_those_of_tensorflow(
    channel: ModelChannel, tiny_models: TinyModels
) -> None:
    response = channel.predict(predict_request(tiny_models.texts, version=1), timeout=TIMEOUT_S)
    probabilities = to_floats(response.outputs["probabilities"])
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, tiny_models.expected, rtol=1e-6)


def test_a_request_without_a_version_gets_the_newest_and_its_number(
    channel: ModelChannel,
) -> None:
    response = channel.predict(predict_request(["a crime"]), timeout=TIMEOUT_S)
    assert response.model_spec.name == MODEL
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "serving_default"


def test_a_pinned_version_is_served_beside_a_newer_one(channel: ModelChannel) -> None:
    texts = ["nothing of the sort"]
    old, new = (
        channel.predict(predict_request(texts, version=version), timeout=TIMEOUT_S)
        for version in (1, 2)
    )
    assert (old.model_spec.version.value, new.model_spec.version.value) == (1, 2)
    assert to_floats(old.outputs["probabilities"]).tolist() != (
        to_floats(new.outputs["probabilities"]).tolist()
    )


def test_only_the_requested_outputs_are_returned(channel: ModelChannel) -> None:
    request = predict_request(["a crime"])
    request.output_filter.append("probabilities")
    response = channel.predict(request, timeout=TIMEOUT_S)
    assert list(response.outputs) == ["probabilities"]


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


def extra_input(request: Request) -> None:
    request.inputs["title"].CopyFrom(request.inputs["summary"])


def wrong_data_type(request: Request) -> None:
    request.inputs["summary"].dtype = types_pb2.DT_INT32


def wrong_shape(request: Request) -> None:
    request.inputs["summary"].tensor_shape.dim.add().size = 1


def fewer_values_than_the_shape(request: Request) -> None:
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
    ("invalidate", "code", "message"),
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
        (extra_input, INVALID_ARGUMENT, "Sent extra: {title}."),
        (wrong_data_type, INVALID_ARGUMENT, 'input "summary" expects string, got int32'),
        (wrong_shape, INVALID_ARGUMENT, 'input "summary" expects shape (None,), got [1, 1]'),
        (fewer_values_than_the_shape, INVALID_ARGUMENT, "tensor parsing error"),
        (negative_shape, INVALID_ARGUMENT, 'input "summary" has no definite shape'),
        (unknown_output, INVALID_ARGUMENT, "output tensor alias not found in signature: mood"),
        (output_twice, INVALID_ARGUMENT, "duplicate output tensor alias: probabilities"),
        (a_text_the_model_refuses, INVALID_ARGUMENT, "a poisoned text"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_invalid_request_gets_the_status_of_tensorflow_serving(
    channel: ModelChannel,
    invalidate: Callable[[Request], None],
    code: grpc.StatusCode,
    message: str,
) -> None:
    request = predict_request(["a crime"])
    invalidate(request)
    with pytest.raises(grpc.RpcError) as caught:
        channel.predict(request, timeout=TIMEOUT_S)
    assert caught.value.code() is code
    assert message in (caught.value.details() or "")


def test_a_prediction_is_cancelled_at_its_deadline(
    channel: ModelChannel, server: ModelServerProcess
) -> None:
    endless = predict_request(["slowword " * 10_000])
    # More than the slots: if they continued, other requests would wait for an hour.
    calls = [channel.predict.future(endless, timeout=0.5) for _ in range(8)]
    for call in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call.result()
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.client().submit(1, ["a crime"]).result().shape == (1, 10)


def test_status_has_every_version(channel: ModelChannel) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    response = channel.status(request, timeout=TIMEOUT_S)
    assert [(s.version, s.state) for s in response.model_version_status] == [
        (1, AVAILABLE),
        (2, AVAILABLE),
    ]
    assert status_of(channel, 1).state == AVAILABLE


@pytest.mark.parametrize(
    ("invalidate", "code", "message"),
    [
        (unknown_version, NOT_FOUND, "Could not find version 99 of model genre"),
        (unknown_model, NOT_FOUND, "Could not find any versions of model cookery"),
        (no_model_spec, INVALID_ARGUMENT, "Missing ModelSpec"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_status_of_an_unknown_version_or_model_is_an_error(
    channel: ModelChannel,
    invalidate: Callable[[get_model_status_pb2.GetModelStatusRequest], None],
    code: grpc.StatusCode,
    message: str,
) -> None:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = MODEL
    invalidate(request)
    with pytest.raises(grpc.RpcError) as caught:
        channel.status(request, timeout=TIMEOUT_S)
    assert caught.value.code() is code
    assert message in (caught.value.details() or "")


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService"])
def test_a_server_with_a_version_is_healthy(server: ModelServerProcess, service: str) -> None:
    with grpc.insecure_channel(server.target) as plain:
        response = health_pb2_grpc.HealthStub(plain).Check(
            health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S
        )
    assert response.status == health_pb2.HealthCheckResponse.SERVING


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
    refusal = [error.code().name, error.details()]
print(json.dumps({
    "version": answer.model_spec.version.value,
    "signatures": {
        name: [sorted(d.inputs), sorted(d.outputs)] for name, d in signatures.signature_def.items()
    },
    "refusal": refusal,
}))
"""


def test_tensorflow_servings_client_reads_the_signatures_from_the_metadata(
    server: ModelServerProcess,
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", METADATA, server.target],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * TIMEOUT_S,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "version": 2,
        "signatures": {
            "serving_default": [["summary"], ["probabilities"]],
            "describe": [["query"], ["description"]],
            "evidence": [["summary"], ["weights", "words"]],
        },
        "refusal": [
            "INVALID_ARGUMENT",
            "GetModelMetadataRequest must specify at least one metadata_field",
        ],
    }
