"""Errors that are answers: each carries the status that TensorFlow Serving gives in the same case."""

from __future__ import annotations

import grpc

_LONGEST = 400


class ServingError(Exception):
    """A request that cannot be answered. `str()` is the sentence for the client."""

    code = grpc.StatusCode.INTERNAL


class InvalidRequest(ServingError):
    """The request does not fit the model; sending it again will not help."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class NotServed(ServingError):
    """There is no such model or version, at least not now."""

    code = grpc.StatusCode.NOT_FOUND


class NoSuchSignature(ServingError):
    """The version exists and has no signature of that name."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class QueueFull(ServingError):
    """Too many predictions wait already; come back later."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class DeadlineExceeded(ServingError):
    """The client's deadline passed before there was an answer."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class ExecutionFailed(ServingError):
    """The model's own computation failed; it carries TensorFlow's status."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def one_line(error: Exception) -> str:
    """An error as a part of one log line; TensorFlow's go over many."""
    said = " ".join(str(error).split()) or "no reason given"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
