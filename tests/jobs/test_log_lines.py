"""One record is one line, whatever text it is given, and no key is readable in it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.api_keys import KeyLimits, generate_api_key
from jobs.logs.log_lines import LineFormatter, masked, one_line
from jobs.ports.webhooks import new_secret

FORGED = '{"audit": "deletion", "owner": "anna"}'
BEGINNING = "12:00 "


def logged(message: str, *args: object, error: BaseException | None = None) -> list[str]:
    """The lines of one record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter(BEGINNING + "%(name)s: %(message)s"))
    handler.handle(
        logging.LogRecord(
            "a.room", logging.ERROR, "file.py", 1, message, args,
            (type(error), error, error.__traceback__) if error else None,
        )
    )  # fmt: skip
    return stream.getvalue().splitlines()


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_line(text: str) -> None:
    (line,) = logged("got %s", text) if one_line(text) else ["12:00"]
    assert line.startswith(BEGINNING.strip())
    assert line.isprintable()
    line.encode()


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
)
def test_an_audit_line_cannot_be_forged(end: str) -> None:
    for lines in (
        logged("GET %s failed", f"/v1/x{end}{FORGED}{end}"),
        logged("failed", error=ValueError(f"x{end}{FORGED}{end}")),
    ):
        assert not [line for line in lines if line.lstrip().startswith('{"audit"')]
        assert FORGED in " ".join(lines)


def test_a_traceback_is_readable_and_indented() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        first, *more = logged("failed", error=error)
    assert first == "12:00 a.room: failed"
    assert more[0] == "    | Traceback (most recent call last):"
    assert all(line.startswith("    | ") for line in more)


def test_terminal_sequences_and_turned_text_are_escaped() -> None:
    assert one_line("\x1b[2J\u202eab\ud800é") == "\\x1b[2J\\u202eab\\ud800é"


def test_keys_and_callback_secrets_are_masked_and_the_keys_id_is_not() -> None:
    key, kept = generate_api_key("anna", is_admin=False, limits=KeyLimits())
    secret = new_secret()
    text = one_line(f"{key} and {key.upper()}, {secret}; {key[:-1]}, sl_{'a' * 30}")
    assert text.startswith(f"{kept.id}_*** and ")
    assert not [n for n in range(16, len(key) - 8) if key[n : n + 8] in text.lower()]
    assert secret.removeprefix("whsec_") not in text
    assert "a" * 13 not in text
    assert masked(f"key {kept.id} was revoked; sl_short") == f"key {kept.id} was revoked; sl_short"


def test_warnings_and_uncaught_exceptions_are_records_too() -> None:
    program = f"""
import threading, warnings
from jobs.logs.log_lines import log_to_stderr
log_to_stderr("12:00 %(name)s: %(message)s")
text = 'x\\n{FORGED}'
warnings.warn(text)
def fail(): raise ValueError(text)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert all(line.startswith(("12:00 ", "    | ")) for line in lines), ended.stderr
    assert sum("uncaught exception" in line for line in lines) == 2
    assert "py.warnings" in ended.stderr
