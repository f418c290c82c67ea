"""A batch on its way to the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from worker.protos.tensorflow_serving.apis import predict_pb2 as predict_messages

if TYPE_CHECKING:
    import grpc

    Call = grpc.Future[predict_messages.PredictResponse]

Rows_co = TypeVar("Rows_co", covariant=True)


class PredictionFuture(Generic[Rows_co]):
    """The client makes it; the call is already running."""

    def __init__(
        self,
        send: Callable[[], Call],
        read: Callable[[predict_messages.PredictResponse], Rows_co],
        persist: Callable[[Callable[[], Rows_co]], Rows_co],
    ) -> None:
        self._send = send
        self._read = read
        self._persist = persist
        self._call: Call | None = send()

    def result(self) -> Rows_co:
        """Waits for the answer, asking again within the client's bound.

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

    def _answer(self) -> Rows_co:
        call, self._call = self._call or self._send(), None
        return self._read(call.result())
