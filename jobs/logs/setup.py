"""Log set-up of a process: structlog and the standard `logging` write through one handler.

Each record is one line: a JSON object, or text for a terminal. Secrets are masked and line breaks
escaped here, so a log call may be given any text that a client sent.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from jobs.logs.masking import escape_line, mask_secrets

LogFormat = Literal["json", "console", "auto"]

log = structlog.get_logger(__name__)

# Lines of a traceback begin with it, so that none of them can pass for a record.
_CONTINUATION = "    | "
_FIRST_KEYS = ("timestamp", "level", "logger", "event")


def configure_logging(log_format: LogFormat = "auto") -> None:
    """Send the log records, warnings and uncaught exceptions of this process to stderr.

    Args:
        log_format: `auto` is `console` if stderr is a terminal, else `json`.
    """
    configure_structlog()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(log_formatter(log_format, sys.stderr))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def configure_structlog() -> None:
    """Route structlog's loggers into the standard `logging`. A second call changes nothing."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared_processors(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def log_formatter(log_format: LogFormat, stream: TextIO) -> logging.Formatter:
    """Return the formatter that renders the records of structlog and of `logging` alike."""
    if log_format == "auto":
        log_format = "console" if stream.isatty() else "json"
    return structlog.stdlib.ProcessorFormatter(
        # `extra` first, so that it cannot replace level, logger or time.
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared_processors()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *(_json_processors() if log_format == "json" else [_ConsoleLine()]),
        ],
        keep_exc_info=False,
        keep_stack_info=False,
    )


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.CallsiteParameterAdder(
            [structlog.processors.CallsiteParameter.PROCESS]
        ),
        structlog.processors.StackInfoRenderer(),
    ]


def _json_processors() -> list[Processor]:
    return [_plain_values, structlog.processors.JSONRenderer(allow_nan=False)]


def _plain_values(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    # The same first keys in each line; `audit` lines are the only ones that begin otherwise.
    keys = [key for key in _FIRST_KEYS if key in event_dict]
    keys += [key for key in event_dict if key not in _FIRST_KEYS]
    return {mask_secrets(key): _plain(event_dict[key]) for key in keys}


def _plain(value: object) -> object:
    """Return the value as JSON can hold it, with secrets masked."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {mask_secrets(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return mask_secrets(value if isinstance(value, str) else _text(value))


def _text(value: object) -> str:
    return str(value) if isinstance(value, BaseException) else repr(value)


class _ConsoleLine:
    """Renders a record as one escaped line; the lines of a traceback follow it, indented."""

    def __init__(self) -> None:
        self._render = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)

    def __call__(self, logger: WrappedLogger, method: str, event_dict: EventDict) -> str:
        trace = [event_dict.pop(key, None) for key in ("stack", "exception")]
        event_dict.pop("process", None)  # in a container's log, not in a person's way
        plain = _plain_values(logger, method, event_dict)
        lines = [escape_line(self._render(logger, method, plain))]
        for text in filter(None, trace):
            lines += [_CONTINUATION + escape_line(line) for line in str(text).split("\n")]
        return "\n".join(lines)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("uncaught_exception", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _log_uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
