"""Errors in the log of a child process, for the terminal in which the stack was started."""

from __future__ import annotations

import os
import re
from pathlib import Path

# The console format of the stack's processes: `TIME [error    ] EVENT [LOGGER] KEY=VALUE …`.
_ERROR = re.compile(r" \[(?:error|critical) *\] (.+?) \[[\w.]+\](.*)")
_MOST_BYTES = 2**16


class LogErrors:
    """Reads new lines of a log."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = log.stat().st_size if log.exists() else 0
        self._last = ""

    def fresh(self) -> list[str]:
        """Return the errors since the last call, without time, level and repetitions."""
        try:
            with self._log.open("rb") as log:
                size = os.fstat(log.fileno()).st_size
                if size < self._read_to:  # rotated
                    self._read_to = 0
                log.seek(self._read_to)
                read = log.read(_MOST_BYTES)
        except OSError:
            return []
        whole = len(read) if len(read) == _MOST_BYTES else read.rfind(b"\n") + 1
        self._read_to += whole
        errors = []
        for event, values in _ERROR.findall(read[:whole].decode(errors="replace")):
            error = event + values
            if error != self._last:
                errors.append(error)
            self._last = error
        return errors
