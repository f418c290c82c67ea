"""How every process logs: one record is one line that no input can forge, and keys and secrets are masked in it.

Only this module decides what is escaped, so a log call may be given any text that a client sent.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any

# A key is `sl_`, twelve hex digits that are its public id, `_` and the secret; see `jobs.api_keys`.
_KEY = re.compile(r"(sl_[0-9a-f]{12})_[0-9a-z]+", re.IGNORECASE)
_LIKE_A_KEY = re.compile(r"(?<![0-9a-z])sl_[0-9a-z_]{13,}", re.IGNORECASE)
_CALLBACK_SECRET = re.compile(r"whsec_[0-9a-z+/=_-]+", re.IGNORECASE)
_MASK = "***"

# Lines of a traceback begin with it, so that none of them can be taken for a record.
_CONTINUATION = "    | "


def masked(text: str) -> str:
    """The text without the secret part of API keys, and without callback secrets."""
    text = _KEY.sub(rf"\1_{_MASK}", text)
    text = _LIKE_A_KEY.sub(_masked_unless_of_a_key, text)
    return _CALLBACK_SECRET.sub(f"whsec_{_MASK}", text)


def one_line(text: str) -> str:
    """The text on one line: what is not printable is escaped as in Python, keys and secrets are masked."""
    text = masked(text)
    if text.isprintable():
        return text
    # Control characters, separators of lines, what turns the direction of writing, lone surrogates.
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class LineFormatter(logging.Formatter):
    """Formats a record as one line; the lines of a traceback follow it indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        """The record without its traceback."""
        return one_line(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # logging's name
        """The traceback, each line of it indented."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # logging's name
        """The stack, each line of it indented."""
        return _indented(super().formatStack(stack_info))


def log_to_stderr(form: str) -> None:
    """Send what every module logs to the standard error stream, warnings and uncaught exceptions too.

    Args:
        form: of a record, as `logging.Formatter` takes it.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(form))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _masked_unless_of_a_key(found: re.Match[str]) -> str:
    # What the first pattern has left is an id, which is no secret.
    return found[0] if found[0].endswith("_") else f"sl_{_MASK}"


def _indented(text: str) -> str:
    return "\n".join(_CONTINUATION + one_line(line) for line in text.split("\n"))


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger(__name__).critical("uncaught exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
