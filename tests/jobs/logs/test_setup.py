"""Each log record is one line, and keys and secrets are masked."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars

from jobs.api_keys import KeyLimits, generate_api_key
from jobs.logs.masking import escape_line, mask_secrets
from jobs.logs.setup import LogFormat, configure_structlog, log_formatter
from jobs.ports.webhooks import new_secret

FORGED = '{"audit": "deletion", "owner": "anna"}'
FORMATS: tuple[LogFormat, ...] = ("json", "console")


def log_lines(
    log_format: LogFormat, event: str, *args: object, foreign: bool = False, **values: Any
) -> list[str]:
    """Log one record and return its lines.

    Args:
        foreign: log through the standard `logging`, as Celery and gunicorn do.
    """
    configure_structlog()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log_formatter(log_format, stream))
    logger = logging.getLogger("a.package")
    logger.addHandler(handler)
    try:
        if foreign:
            logger.error(event, *args, **values)
        else:
            structlog.get_logger("a.package").error(event, **values)
    finally:
        logger.removeHandler(handler)
    return stream.getvalue().split("\n")[:-1]


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize("foreign", [False, True])
@given(text=st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_line(log_format: LogFormat, foreign: bool, text: str) -> None:
    if foreign:
        (line,) = log_lines(log_format, "text: %s", text, foreign=True, extra={"value": text})
    else:
        (line,) = log_lines(log_format, "received", value=text, list=[text, {text: text}])
    assert line.startswith('{"timestamp"' if log_format == "json" else "20")
    assert line.isprintable()
    line.encode()


@pytest.mark.parametrize("log_format", FORMATS)
@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
)
def test_an_audit_line_cannot_be_forged(log_format: LogFormat, end: str) -> None:
    text = f"/v1/x{end}{FORGED}{end}"
    for lines in (
        log_lines(log_format, text, foreign=True),
        log_lines(log_format, "failed", path=text, error=ValueError(text)),
        log_lines(log_format, "failed", exc_info=ValueError(text)),
        log_lines(log_format, "x", foreign=True, extra={"audit": "deletion", "owner": "anna"}),
    ):
        assert not [line for line in lines if line.lstrip().startswith('{"audit"')]
        assert "anna" in " ".join(lines)


def test_a_json_line_has_the_event_its_values_and_the_bound_context() -> None:
    with bound_contextvars(job_id="job_1", chunk=3):
        (line,) = log_lines("json", "chunk_labelled", rows=10, seconds=float("nan"))
    record = json.loads(line)
    assert list(record)[:4] == ["timestamp", "level", "logger", "event"]
    expected = {
        "level": "error", "logger": "a.package", "event": "chunk_labelled",
        "job_id": "job_1", "chunk": 3, "rows": 10, "seconds": "nan",
    }  # fmt: skip
    assert expected.items() <= record.items()


def test_records_of_libraries_have_the_same_form_and_context() -> None:
    with bound_contextvars(job_id="job_1"):
        (line,) = log_lines(
            "json", "lost %s", "redis", foreign=True, extra={"level": "x", "logger": "y"}
        )
    record = json.loads(line)
    assert (record["level"], record["logger"]) == ("error", "a.package")
    assert (record["event"], record["job_id"]) == ("lost redis", "job_1")


def test_a_traceback_is_part_of_the_json_object() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        (line,) = log_lines("json", "failed", exc_info=error)
    trace = json.loads(line)["exception"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "JSONDecodeError" in trace


def test_a_traceback_on_a_terminal_is_readable_and_indented() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        first, *more = log_lines("console", "failed", exc_info=error)
    assert "[error    ] failed [a.package]" in first
    assert more[0] == "    | Traceback (most recent call last):"
    assert all(line.startswith("    | ") for line in more)


def test_terminal_sequences_and_bidirectional_overrides_are_escaped() -> None:
    assert escape_line("\x1b[2J\u202eab\ud800é") == "\\x1b[2J\\u202eab\\ud800é"


@pytest.mark.parametrize("log_format", FORMATS)
def test_keys_and_webhook_secrets_are_masked_and_key_ids_are_not(log_format: LogFormat) -> None:
    key, stored = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    secret = new_secret()
    value = f"{key} and {key.upper()}, {secret}; {key[:-1]}, \nsl_{'a' * 30}"
    for lines in (
        log_lines(log_format, "got", value=value, nested=[{"key": value}], error=ValueError(value)),
        log_lines(log_format, "got %s", value, foreign=True),
        log_lines(log_format, "got", exc_info=ValueError(value)),
    ):
        text = "\n".join(lines)
        assert f"{stored.id}_*** and " in text
        assert not [n for n in range(16, len(key) - 8) if key[n : n + 8] in text.lower()]
        assert secret.removeprefix("whsec_") not in text
        assert "a" * 13 not in text
    assert mask_secrets(f"key {stored.id} was revoked; sl_short") == (
        f"key {stored.id} was revoked; sl_short"
    )


def test_auto_is_json_unless_stderr_is_a_terminal() -> None:
    (line,) = log_lines("auto", "started")
    assert json.loads(line)["event"] == "started"


@pytest.mark.parametrize("log_format", FORMATS)
def test_warnings_and_uncaught_exceptions_are_records_too(log_format: LogFormat) -> None:
    program = f"""
import threading, warnings
from jobs.logs.setup import configure_logging
configure_logging("{log_format}")
text = 'x\\n{FORGED}'
warnings.warn(text)
def fail(): raise ValueError(text)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert process.returncode == 1
    lines = process.stderr.splitlines()
    beginning = '{"timestamp": "20' if log_format == "json" else ("20", "    | ")
    assert all(line.startswith(beginning) for line in lines), process.stderr
    assert sum("uncaught_exception" in line for line in lines) == 2
    assert "py.warnings" in process.stderr
