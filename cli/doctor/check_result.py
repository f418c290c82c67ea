"""The result of one check of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # works, or is not needed
    FAIL = "fail"  # part of the local stack will not work


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What was checked, what was found, and what to do about it."""

    what: str
    level: Level
    detail: str
    remedy: str = ""


def ok(what: str, detail: str) -> CheckResult:
    """The check passed."""
    return CheckResult(what=what, level=Level.OK, detail=detail)


def warn(what: str, detail: str, remedy: str) -> CheckResult:
    """A problem that does not keep the local stack from working."""
    return CheckResult(what=what, level=Level.WARN, detail=detail, remedy=remedy)


def fail(what: str, detail: str, remedy: str) -> CheckResult:
    """A problem that does."""
    return CheckResult(what=what, level=Level.FAIL, detail=detail, remedy=remedy)
