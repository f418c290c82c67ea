"""Events that the supervisor reports, and their text in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """The kinds of events of a stack."""

    STARTING = "starting"
    READY = "ready"
    DIED = "died"
    ERROR = "error"  # in the log of a process that keeps running
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


def render(event: StackEvent) -> str:
    """Return the event as one line that begins with the child's name."""
    words = [event.action.value]
    if event.after_s is not None:
        words.append(f"after {event.after_s:.1f} s")
    line = " ".join(words)
    if event.detail:
        line += f": {event.detail}"
    return f"{event.child or '':<8}{line}" if event.child else line[:1].upper() + line[1:]
