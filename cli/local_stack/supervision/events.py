"""What the supervisor reports: events with a name, and how they read in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """Everything that can be reported of a stack."""

    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    ERROR = "error"  # that a process writes to its log, and goes on
    STACK_READY = "stack ready"
    STILL_WAITING = "still waiting"
    STOPPING = "stopping"
    KILLED = "killed"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class StackEvent:
    """One state change of one child, or of the stack (`child` is None)."""

    action: Action
    child: str | None = None
    detail: str = ""
    after_s: float | None = None  # since the child's start, or since the supervisor's


def render(happening: StackEvent) -> str:
    """The happening as one line, the child's name in a column of its own."""
    words = [happening.action.value]
    if happening.after_s is not None:
        words.append(f"after {happening.after_s:.1f} s")
    line = " ".join(words)
    if happening.detail:
        line += f": {happening.detail}"
    return f"{happening.child or '':<8}{line}" if happening.child else line[:1].upper() + line[1:]
