"""A scripted model server: real gRPC and TensorFlow Serving messages, without a model."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import grpc

from catalogue.text.cleaning import CLEANING_FINGERPRINT
from worker.protos.tensorflow.core.framework import tensor_pb2, types_pb2
from worker.protos.tensorflow_serving.apis import get_model_status_pb2, predict_pb2


@dataclass(frozen=True)
class ScriptedModel:
    """A model whose label for a text is the label that the text contains, else the first one."""

    labels: tuple[str, ...]
    export_id: str = ""
    has_evidence: bool = True
    fails: bool = False  # for every text

    def describe(self) -> bytes:
        document = {
            "schema": 1,
            "name": "genre",
            "labels": self.labels,
            "max_tokens": 300,
            "cleaning_fingerprint": CLEANING_FINGERPRINT,
            "review_threshold": 0.5,
            "conformal": {"quantile": 0.9},
            "export_id": self.export_id,
        }
        return json.dumps(document).encode()

    def probabilities(self, text: str) -> list[float]:
        named = next((n for n, label in enumerate(self.labels) if label in text.split()), 0)
        rest = 0.1 / max(len(self.labels) - 1, 1)
        return [0.9 if n == named else rest for n in range(len(self.labels))]


class ScriptedServer:
    """Serves `models` by version number.

    Calls of a signature first fail with the codes in `faults`, one code per call.
    """

    def __init__(self) -> None:
        self.models: dict[int, ScriptedModel] = {}
        self.faults: dict[str, deque[grpc.StatusCode]] = defaultdict(deque)
        self.rejections: dict[str, grpc.StatusCode] = {}  # by a word of the text
        self.calls: Counter[str] = Counter()
        self.after_prediction: Callable[[], None] = lambda: None
        self.target = ""

    def predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        signature = request.model_spec.signature_name
        self.calls[signature] += 1
        model = self.models.get(request.model_spec.version.value)
        if model is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
            raise AssertionError
        if self.faults[signature]:
            context.abort(self.faults[signature].popleft(), "a transient fault")
        response = predict_pb2.PredictResponse()
        if signature == "describe":
            _strings(response.outputs["description"], [1], [model.describe()])
            return response
        if model.fails:
            context.abort(grpc.StatusCode.INTERNAL, "fails for every text")
        texts = [text.decode() for text in request.inputs["summary"].string_val]
        for word, code in self.rejections.items():
            if any(word in text.split() for text in texts):
                context.abort(code, f"rejected because of {word}")
        if signature == "evidence":
            if not model.has_evidence:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no such signature")
            _strings(
                response.outputs["words"], [len(texts), 1], [t.split()[0].encode() for t in texts]
            )
            _floats(response.outputs["weights"], [len(texts), 1], [1.0] * len(texts))
            return response
        values = [share for text in texts for share in model.probabilities(text)]
        _floats(response.outputs["probabilities"], [len(texts), len(model.labels)], values)
        self.after_prediction()
        return response

    def status(
        self,
        request: get_model_status_pb2.GetModelStatusRequest,  # noqa: ARG002
        context: grpc.ServicerContext,  # noqa: ARG002
    ) -> get_model_status_pb2.GetModelStatusResponse:
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self.models:
            response.model_version_status.add(version=version, state=30)
        return response


def _strings(tensor: tensor_pb2.TensorProto, shape: list[int], values: list[bytes]) -> None:
    tensor.dtype = types_pb2.DT_STRING
    for size in shape:
        tensor.tensor_shape.dim.add().size = size
    tensor.string_val.extend(values)


def _floats(tensor: tensor_pb2.TensorProto, shape: list[int], values: list[float]) -> None:
    tensor.dtype = types_pb2.DT_FLOAT
    for size in shape:
        tensor.tensor_shape.dim.add().size = size
    tensor.float_val.extend(values)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """A server without models, on a free port."""
    scripted = ScriptedServer()
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "tensorflow.serving.PredictionService",
                {
                    "Predict": grpc.unary_unary_rpc_method_handler(
                        scripted.predict,
                        predict_pb2.PredictRequest.FromString,
                        predict_pb2.PredictResponse.SerializeToString,
                    )
                },
            ),
            grpc.method_handlers_generic_handler(
                "tensorflow.serving.ModelService",
                {
                    "GetModelStatus": grpc.unary_unary_rpc_method_handler(
                        scripted.status,
                        get_model_status_pb2.GetModelStatusRequest.FromString,
                        get_model_status_pb2.GetModelStatusResponse.SerializeToString,
                    )
                },
            ),
        )
    )
    scripted.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield scripted
    finally:
        server.stop(0).wait()
