"""What a look at the installation has found, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # works, or is not needed
    FAIL = "fail"  # something of the laptop stack will not work


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One thing that was looked at, and what to do where it is not as it should be."""

    what: str
    level: Level
    said: str
    cure: str = ""


def ok(what: str, said: str) -> CheckResult:
    """All is well."""
    return CheckResult(what=what, level=Level.OK, said=said)


def warn(what: str, said: str, cure: str) -> CheckResult:
    """It can be lived with."""
    return CheckResult(what=what, level=Level.WARN, said=said, cure=cure)


def fail(what: str, said: str, cure: str) -> CheckResult:
    """It cannot."""
    return CheckResult(what=what, level=Level.FAIL, said=said, cure=cure)
