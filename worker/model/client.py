"""Client of TensorFlow Serving's gRPC protocol: texts in, arrays out."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import grpc

from worker.model.channel import ModelChannel
from worker.model.description import ModelDescription
from worker.model.errors import ModelError, ModelMismatch, ModelRejected, ModelUnavailable
from worker.model.retry import AMBIGUOUS, RetryAction, RetryPolicy
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

if TYPE_CHECKING:
    Call = grpc.Future[predict_messages.PredictResponse]

__all__ = [
    "ModelClient",
    "ModelError",
    "ModelMismatch",
    "ModelRejected",
    "ModelUnavailable",
    "PredictionFuture",
    "Probabilities",
]

Response = TypeVar("Response")
Rows = TypeVar("Rows")
Rows_co = TypeVar("Rows_co", covariant=True)


class _NotReadyError(Exception):
    """The server answered, but serves no version of the model yet."""


class PredictionFuture(Generic[Rows_co]):
    """One batch whose RPC is running. Created by `ModelClient`."""

    def __init__(
        self,
        send: Callable[[], Call],
        read: Callable[[predict_messages.PredictResponse], Rows_co],
        with_retries: Callable[[Callable[[], Rows_co]], Rows_co],
    ) -> None:
        self._send = send
        self._read = read
        self._with_retries = with_retries
        self.durations_s: list[float] = []  # of each RPC so far, including failed ones
        self._call: _TimedCall | None = _TimedCall(send())

    def result(self) -> Rows_co:
        """Wait for the response. Failed calls are retried within the client's retry budget.

        Raises:
            ModelUnavailable: no response within the retry budget.
            ModelRejected: the model rejects at least one of the texts.
            ModelMismatch: the model lacks the signature, or the response has the wrong shape.
            grpc.FutureCancelledError: `cancel` was called.
        """
        return self._with_retries(self._response)

    def cancel(self) -> None:
        """Cancel the RPC. Do not call `result` afterwards."""
        if self._call is not None:
            self._call.rpc.cancel()

    def _response(self) -> Rows_co:
        call, self._call = self._call or _TimedCall(self._send()), None
        try:
            return self._read(call.rpc.result())
        finally:
            self.durations_s.append(call.duration_s())


class _TimedCall:
    """A running RPC. It may end long before its result is read, so its end is recorded."""

    def __init__(self, rpc: Call) -> None:
        self.rpc = rpc
        self._began = time.monotonic()
        self._ended: float | None = None
        rpc.add_done_callback(self._end)

    def duration_s(self) -> float:
        """Seconds from its start to its end, or to now."""
        # gRPC calls back after the result can be read, perhaps only after this.
        return (self._ended or time.monotonic()) - self._began

    def _end(self, _: object) -> None:
        self._ended = time.monotonic()


class ModelClient:
    """Calls one model by name. Thread-safe; create it after a fork, not before."""

    def __init__(
        self, target: str, model_name: str, *, deadline_s: float, retry_for_s: float
    ) -> None:
        """Does not connect yet.

        Args:
            target: gRPC target, such as `127.0.0.1:8500`, or `dns:///models:8500` for several
                servers.
            model_name: the model's name at the server.
            deadline_s: deadline of each single RPC, in seconds.
            retry_for_s: retry budget after the first failure, in seconds.
        """
        self._target = target
        self._model_name = model_name
        self._deadline_s = deadline_s
        self._policy = RetryPolicy(retry_for_s=retry_for_s)
        self._channel = ModelChannel(target)

    def versions(self) -> tuple[int, ...]:
        """Return the versions that are being served, newest first; at least one.

        Raises:
            ModelUnavailable: no server, or no served version, within the retry budget.
        """
        request = status_messages.GetModelStatusRequest(
            model_spec=model_pb2.ModelSpec(name=self._model_name)
        )

        def call() -> tuple[int, ...]:
            response = self._channel.status(request, timeout=self._deadline_s)
            available = status_messages.ModelVersionStatus.AVAILABLE
            served = (s.version for s in response.model_version_status if s.state == available)
            newest_first = tuple(sorted(served, reverse=True))
            if not newest_first:
                raise _NotReadyError(f"no version of model {self._model_name} is served yet")
            return newest_first

        return self._with_retries(call)

    def describe(self, version: int) -> ModelDescription:
        """Return the description of a version.

        Raises:
            ModelUnavailable: no response within the retry budget, the version is not served, or
                the server fails.
            ModelMismatch: the version has no `describe` signature, or one that cannot be read.
        """
        request = self._request(version, DESCRIBING, [""])

        def call() -> ModelDescription:
            response = self._channel.predict(request, timeout=self._deadline_s)
            try:
                documents = to_bytes(response.outputs["description"])
            except ValueError as error:
                raise ModelMismatch(f"the model's description is unreadable: {error}") from error
            return ModelDescription.parse(documents[0] if documents else b"")

        try:
            return self._with_retries(call)
        except (
            ModelRejected
        ) as error:  # the request contains no user's text that could be the cause
            if error.code in AMBIGUOUS:
                raise ModelUnavailable(
                    f"the model fails to describe itself: {error}", code=error.code
                ) from error
            raise ModelMismatch(f"the model cannot describe itself: {error}") from error

    def submit(self, version: int, texts: Sequence[str]) -> PredictionFuture[Probabilities]:
        """Send a batch of cleaned texts without waiting, so that several can be in flight.

        The result is float32 [N, K], in the order of the texts. It may be read-only and may hold
        values that are not finite.

        Raises:
            ValueError: `texts` is empty.
        """
        return self._begin(version, LABELLING, texts, read_probabilities)

    def explain(self, version: int, texts: Sequence[str]) -> PredictionFuture[list[Evidence]]:
        """Like `submit`, for the evidence: one tuple of words per text, largest weight first.

        The result raises `ModelMismatch` with the code FAILED_PRECONDITION if the version has no
        evidence signature.
        """
        return self._begin(version, EXPLAINING, texts, read_evidence)

    def close(self) -> None:
        """Close the channel and cancel its running calls."""
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
            lambda response: read(response.outputs, len(texts)),
            self._with_retries,
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

    def _with_retries(self, call: Callable[[], Response]) -> Response:
        """Run `call` until it succeeds or the retry policy gives up. Maps gRPC errors to ours."""
        failures, first_failure = 0, 0.0
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                code, details = error.code().name, error.details() or ""
            except _NotReadyError as error:
                code, details = grpc.StatusCode.NOT_FOUND.name, str(error)
            failures += 1
            if failures == 1:
                first_failure = time.monotonic()
            failing_for_s = time.monotonic() - first_failure
            decision = self._policy.classify(
                code,
                failures=failures,
                failing_for_s=failing_for_s,
                jitter=random.random(),
            )
            if decision.action is RetryAction.RETRY:
                time.sleep(decision.wait_s)
                continue
            raise self._error(decision.action, code, f"{code}: {details}", failing_for_s)

    def _error(
        self, action: RetryAction, code: str, status: str, failing_for_s: float
    ) -> ModelError:
        if action is RetryAction.REJECTED:
            return ModelRejected(f"model {self._model_name} refuses the batch: {status}", code=code)
        if action is RetryAction.MISMATCH:
            return ModelMismatch(f"model {self._model_name} cannot be used: {status}", code=code)
        return ModelUnavailable(
            f"model {self._model_name} at {self._target} did not respond within"
            f" {failing_for_s:.0f} s of retries; the last error was {status}",
            code=code,
        )
