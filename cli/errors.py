"""Errors of the client and the command line. Each is one sentence and an exit code.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the job failed, was cancelled, or expired; of `doctor`: something fails |
| 2 | the command or its input is invalid |
| 3 | the server cannot be reached, cannot work, or cannot be started |
| 70 | a bug in Spinelabel |
| 130 | interrupted (Ctrl-C) |
"""

from __future__ import annotations

from http import HTTPStatus

FAULT = 70
INTERRUPTED = 130


class SpinelabelError(Exception):
    """Base class: `str(error)` says what is wrong and what to do."""

    exit_code = 1


class JobEnded(SpinelabelError):
    """The job failed, was cancelled, or expired."""


class BadInput(SpinelabelError):
    """An argument or input of the command is invalid."""

    exit_code = 2


class ServerUnreachable(SpinelabelError):
    """No Spinelabel server answers where one was expected."""

    exit_code = 3


class CheckoutRequired(SpinelabelError):
    """The command runs the server, and only the client is installed."""

    exit_code = 2


class StackFailed(SpinelabelError):
    """The local stack could not be started, or a process died repeatedly."""

    exit_code = 3


class ApiProblem(SpinelabelError):
    """The server refused a request. `code` is stable; `str(error)` is the server's sentence."""

    def __init__(self, *, code: str, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status
        refused = status < HTTPStatus.INTERNAL_SERVER_ERROR
        self.exit_code = BadInput.exit_code if refused else ServerUnreachable.exit_code
