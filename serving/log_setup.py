"""Log set-up of the model server: one line per record, JSON or text, as in `jobs.logs`.

A reduced copy, because this package imports nothing of the project. It logs no secrets, so nothing
is masked.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["json", "console", "auto"]

_FIRST_KEYS = ("timestamp", "level", "logger", "event")


def configure_logging(log_format: LogFormat = "auto") -> None:
    """Send what structlog and the standard `logging` record to stderr.

    Args:
        log_format: `auto` is `console` if stderr is a terminal, else `json`.
    """
    if log_format == "auto":
        log_format = "console" if sys.stderr.isatty() else "json"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                *([_ordered, _json] if log_format == "json" else [_console_line]),
            ],
            keep_exc_info=False,
            keep_stack_info=False,
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


_json = structlog.processors.JSONRenderer(default=str)
_console = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)


def _ordered(_logger: WrappedLogger, _method: str, event_dict: EventDict) -> EventDict:
    first = {key: event_dict.pop(key) for key in _FIRST_KEYS if key in event_dict}
    return {**first, **event_dict}


def _console_line(logger: WrappedLogger, method: str, event_dict: EventDict) -> str:
    trace = str(event_dict.pop("exception", ""))
    lines = [_escape(_console(logger, method, event_dict))]
    lines += [f"    | {_escape(line)}" for line in trace.splitlines()]
    return "\n".join(lines)


def _escape(line: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
