"""Errors with the gRPC status that TensorFlow Serving returns in the same case."""

from __future__ import annotations

import grpc

_MAX_LINE_CHARACTERS = 400


class ServingError(Exception):
    """The base of all errors. `str()` is the message for the client."""

    code = grpc.StatusCode.INTERNAL


class InvalidRequest(ServingError):
    """The request does not match the model. Do not retry."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotServed(ServingError):
    """The model or version is not available."""

    code = grpc.StatusCode.NOT_FOUND


class NoSuchSignature(ServingError):
    """The version has no signature of that name."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class QueueFull(ServingError):
    """The queue of predictions is full. Retry later."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class DeadlineExceeded(ServingError):
    """The client's deadline passed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class ExecutionFailed(ServingError):
    """The computation failed. Carries TensorFlow's status."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def one_line(error: Exception) -> str:
    """The error's message on one line; TensorFlow's have many."""
    message = " ".join(str(error).split()) or "no reason given"
    return message if len(message) <= _MAX_LINE_CHARACTERS else f"{message[:_MAX_LINE_CHARACTERS]}…"
