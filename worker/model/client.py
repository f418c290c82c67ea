"""The model, over TensorFlow Serving's gRPC protocol; to the rest of the worker, texts in and numbers out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import grpc

from worker.model.channel import ModelChannel
from worker.model.description import ModelDescription
from worker.model.errors import ModelError, ModelMismatch, ModelRejected, ModelUnavailable
from worker.model.prediction_future import PredictionFuture
from worker.model.retry import AMBIGUOUS, RetryPolicy, Verdict
from worker.model.signatures import (
    DESCRIBING,
    EXPLAINING,
    LABELLING,
    Evidence,
    Outputs,
    Signature,
    read_evidence,
    read_probabilities,
)
from worker.model.tensors import Probabilities, fill_texts, to_bytes
from worker.protos.tensorflow_serving.apis import get_model_status_pb2 as status_messages
from worker.protos.tensorflow_serving.apis import model_pb2
from worker.protos.tensorflow_serving.apis import predict_pb2 as predict_messages

__all__ = [
    "ModelClient",
    "ModelError",
    "ModelMismatch",
    "ModelRejected",
    "ModelUnavailable",
    "PredictionFuture",
    "Probabilities",
]

Answer = TypeVar("Answer")
Rows = TypeVar("Rows")


class _NotReadyError(Exception):
    """The server answered, but no version of the model serves yet."""


class ModelClient:
    """Talks to one model by name; several threads may use it.

    It may be made before a fork and used in the children, but then not before the fork as well: a child of
    a process that has used it gets a RuntimeError.
    """

    def __init__(
        self, target: str, model_name: str, *, deadline_s: float, retry_for_s: float
    ) -> None:
        """Connects to nothing yet.

        Args:
            target: gRPC target, such as `127.0.0.1:8500`, or `dns:///models:8500` for several servers.
            model_name: the model's name at the server.
            deadline_s: the time each single call may take, in seconds.
            retry_for_s: how long failing calls are tried again after the first failure, in seconds.
        """
        self._target = target
        self._model_name = model_name
        self._deadline_s = deadline_s
        self._policy = RetryPolicy(retry_for_s=retry_for_s)
        self._channel = ModelChannel(target)

    def versions(self) -> tuple[int, ...]:
        """The versions that serve now, newest first; at least one.

        Raises:
            ModelUnavailable: no server, or no version of the model, within the bound.
        """
        request = status_messages.GetModelStatusRequest(
            model_spec=model_pb2.ModelSpec(name=self._model_name)
        )

        def ask() -> tuple[int, ...]:
            answer = self._channel.status(request, timeout=self._deadline_s)
            available = status_messages.ModelVersionStatus.AVAILABLE
            serving = (s.version for s in answer.model_version_status if s.state == available)
            newest_first = tuple(sorted(serving, reverse=True))
            if not newest_first:
                raise _NotReadyError(f"no version of model {self._model_name} serves yet")
            return newest_first

        return self._persist(ask)

    def describe(self, version: int) -> ModelDescription:
        """What this version says about itself.

        Raises:
            ModelUnavailable: no answer within the bound, the version is not served, or the server fails.
            ModelMismatch: it has no `describe` signature, or one that cannot be read.
        """
        request = self._request(version, DESCRIBING, [""])

        def ask() -> ModelDescription:
            answer = self._channel.predict(request, timeout=self._deadline_s)
            try:
                documents = to_bytes(answer.outputs["description"])
            except ValueError as error:
                raise ModelMismatch(f"the model's description is unreadable: {error}") from error
            return ModelDescription.parse(documents[0] if documents else b"")

        try:
            return self._persist(ask)
        except ModelRejected as error:  # there is no text of a person's in this request
            if error.code in AMBIGUOUS:
                raise ModelUnavailable(
                    f"the model fails to describe itself: {error}", code=error.code
                ) from error
            raise ModelMismatch(f"the model cannot describe itself: {error}") from error

    def submit(self, version: int, texts: Sequence[str]) -> PredictionFuture[Probabilities]:
        """Sends a batch of cleaned texts and returns at once, so that several can be in flight.

        The result is float32 [N, K], row by row in the order of the texts; it may be read-only. Numbers that
        are not finite are passed on.

        Raises:
            ValueError: there are no texts.
        """
        return self._begin(version, LABELLING, texts, read_probabilities)

    def explain(self, version: int, texts: Sequence[str]) -> PredictionFuture[list[Evidence]]:
        """Like `submit`, for the words that weighed most: one tuple per text, weightiest first.

        The result raises `ModelMismatch` with the code FAILED_PRECONDITION where the version has no such signature.
        """
        return self._begin(version, EXPLAINING, texts, read_evidence)

    def close(self) -> None:
        """Closes this process's channel; calls still running are cancelled."""
        self._channel.close()

    def _begin(
        self,
        version: int,
        signature: Signature,
        texts: Sequence[str],
        read: Callable[[Outputs, int], Rows],
    ) -> PredictionFuture[Rows]:
        if not texts:
            raise ValueError("a batch needs at least one text")
        request = self._request(version, signature, texts)
        return PredictionFuture(
            lambda: self._channel.predict.future(request, timeout=self._deadline_s),
            lambda answer: read(answer.outputs, len(texts)),
            self._persist,
        )

    def _request(
        self, version: int, signature: Signature, texts: Sequence[str]
    ) -> predict_messages.PredictRequest:
        request = predict_messages.PredictRequest(output_filter=signature.outputs)
        request.model_spec.name = self._model_name
        request.model_spec.version.value = version
        request.model_spec.signature_name = signature.name
        fill_texts(request.inputs[signature.input], texts)
        return request

    def _persist(self, ask: Callable[[], Answer]) -> Answer:
        """Calls `ask` until it answers or the policy gives up; only here are gRPC's errors read."""
        failures, first_failure = 0, 0.0
        while True:
            try:
                return ask()
            except grpc.RpcError as error:
                code, details = error.code().name, error.details() or ""
            except _NotReadyError as error:
                code, details = grpc.StatusCode.NOT_FOUND.name, str(error)
            failures += 1
            if failures == 1:
                first_failure = time.monotonic()
            failing_for_s = time.monotonic() - first_failure
            decision = self._policy.decide(
                code,
                failures=failures,
                failing_for_s=failing_for_s,
                jitter=random.random(),
            )
            if decision.verdict is Verdict.RETRY:
                time.sleep(decision.wait_s)
                continue
            raise self._error(decision.verdict, code, f"{code}: {details}", failing_for_s)

    def _error(self, verdict: Verdict, code: str, said: str, failing_for_s: float) -> ModelError:
        if verdict is Verdict.REJECTED:
            return ModelRejected(f"model {self._model_name} refuses the batch: {said}", code=code)
        if verdict is Verdict.MISMATCH:
            return ModelMismatch(f"model {self._model_name} cannot be used: {said}", code=code)
        return ModelUnavailable(
            f"model {self._model_name} at {self._target} gave no answer"
            f" ({failing_for_s:.0f} s of trying); the last was {said}",
            code=code,
        )
