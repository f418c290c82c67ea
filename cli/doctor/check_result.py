"""The result of one check of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Severity of the result of a check."""

    OK = "ok"
    WARN = "warn"  # works, or is not needed
    FAIL = "fail"  # part of the local stack will not work


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The subject of a check, its result, and what to do about a problem."""

    what: str
    level: Level
    detail: str
    remedy: str = ""


def ok(what: str, detail: str) -> CheckResult:
    """Return the result of a passed check."""
    return CheckResult(what=what, level=Level.OK, detail=detail)


def warn(what: str, detail: str, remedy: str) -> CheckResult:
    """Return a problem with which the local stack still works."""
    return CheckResult(what=what, level=Level.WARN, detail=detail, remedy=remedy)


def fail(what: str, detail: str, remedy: str) -> CheckResult:
    """Return a problem with which the local stack does not work."""
    return CheckResult(what=what, level=Level.FAIL, detail=detail, remedy=remedy)
