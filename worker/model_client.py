"""The model, over TensorFlow Serving's gRPC protocol; to the rest of the worker, texts in and numbers out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import grpc

from worker.model_channel import ModelChannel
from worker.model_description import ModelDescription
from worker.model_errors import ModelError, ModelMismatch, ModelRejected, ModelUnavailable
from worker.model_retry import RetryPolicy, Verdict
from worker.model_tensors import Probabilities, fill_texts, to_bytes, to_floats
from worker.protos.tensorflow_serving.apis import get_model_status_pb2 as status_messages
from worker.protos.tensorflow_serving.apis import model_pb2
from worker.protos.tensorflow_serving.apis import predict_pb2 as predict_messages

__all__ = [
    "ModelClient",
    "ModelError",
    "ModelMismatch",
    "ModelRejected",
    "ModelUnavailable",
    "PendingPrediction",
    "Probabilities",
]

Answer = TypeVar("Answer")


class _Signature(NamedTuple):
    """One of the model's signatures, with its only input and the output that is asked for."""

    name: str
    input: str
    output: str


_LABELLING = _Signature("serving_default", "summary", "probabilities")
_DESCRIBING = _Signature("describe", "query", "description")


class _NotReadyError(Exception):
    """The server answered, but no version of the model serves yet."""


class PendingPrediction:
    """A batch on its way to the model. `submit` makes it; the call is already running."""

    def __init__(
        self,
        send: Callable[[], grpc.Future[predict_messages.PredictResponse]],
        persist: Callable[[Callable[[], Probabilities]], Probabilities],
        rows: int,
    ) -> None:
        self._send = send
        self._persist = persist
        self._rows = rows
        self._call: grpc.Future[predict_messages.PredictResponse] | None = send()

    def result(self) -> Probabilities:
        """Waits for the probabilities, asking again within the client's bound.

        Returns:
            float32 [N, K], row by row in the order of the texts; may be read-only. Numbers that are not
            finite are passed on.

        Raises:
            ModelUnavailable: no answer within the bound.
            ModelRejected: the model refuses one of the texts, whichever it is.
            ModelMismatch: the model has no such signature, or answers in another shape.
            grpc.FutureCancelledError: `cancel` was called.
        """
        return self._persist(self._answer)

    def cancel(self) -> None:
        """Tells the server to forget the batch; `result` must not be called afterwards."""
        if self._call is not None:
            self._call.cancel()

    def _answer(self) -> Probabilities:
        call, self._call = self._call or self._send(), None
        tensor = call.result().outputs[_LABELLING.output]
        try:
            probabilities = to_floats(tensor)
        except ValueError as error:
            raise ModelMismatch(
                f"the model's {_LABELLING.output} are unreadable: {error}"
            ) from error
        if probabilities.ndim != 2 or len(probabilities) != self._rows:
            raise ModelMismatch(
                f"the model answered {self._rows} texts with an array of shape {probabilities.shape}"
            )
        return probabilities


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
            ModelUnavailable: no answer within the bound, or the version is not served.
            ModelMismatch: it has no `describe` signature, or one that cannot be read.
        """
        request = self._request(version, _DESCRIBING, [""])

        def ask() -> ModelDescription:
            answer = self._channel.predict(request, timeout=self._deadline_s)
            try:
                documents = to_bytes(answer.outputs[_DESCRIBING.output])
            except ValueError as error:
                raise ModelMismatch(f"the model's description is unreadable: {error}") from error
            return ModelDescription.parse(documents[0] if documents else b"")

        try:
            return self._persist(ask)
        except ModelRejected as error:  # there is no text of a person's in this request
            raise ModelMismatch(f"the model cannot describe itself: {error}") from error

    def submit(self, version: int, texts: Sequence[str]) -> PendingPrediction:
        """Sends a batch of cleaned texts and returns at once, so that several can be in flight.

        Raises:
            ValueError: there are no texts.
        """
        if not texts:
            raise ValueError("a batch needs at least one text")
        request = self._request(version, _LABELLING, texts)
        return PendingPrediction(
            lambda: self._channel.predict.future(request, timeout=self._deadline_s),
            self._persist,
            len(texts),
        )

    def close(self) -> None:
        """Closes this process's channel; calls still running are cancelled."""
        self._channel.close()

    def _request(
        self, version: int, signature: _Signature, texts: Sequence[str]
    ) -> predict_messages.PredictRequest:
        request = predict_messages.PredictRequest(output_filter=[signature.output])
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
