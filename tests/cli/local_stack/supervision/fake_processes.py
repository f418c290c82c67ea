"""Small programs instead of the stack's, and a supervisor of them as a process of its own.

python -m tests.cli.local_stack.supervision.fake_processes FOLDER    supervise three children
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.local_stack.supervision.events import Action, StackEvent
from cli.local_stack.supervision.process import ChildSpec
from cli.local_stack.supervision.restart_policy import RestartPolicy
from cli.local_stack.supervision.supervisor import StopRequest, Supervisor
from tests.waiting import WITHIN_S

# Writes its name and process id to the event file at its start and at its end.
_PROGRAM = """
import os, signal, sys, time
def write(word):
    with open({event_file!r}, "a") as event_file:
        event_file.write(f"{{word}} {name} {{os.getpid()}}\\n")
def end(*_):
    write("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, {on_term})
write("started")
print("hello from {name}", flush=True)
{then}
"""

FAST_RESTARTS = RestartPolicy(first_delay_s=0.02, longest_delay_s=0.1, short_life_s=0.2)


class EventFile:
    """What the fake processes wrote."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "events"
        self.path.touch()

    def child(
        self,
        name: str,
        *,
        then: str = "time.sleep(3600)",
        on_term: str = "end",
        needs: tuple[str, ...] = (),
        grace_s: float = WITHIN_S,
        probe: Callable[[], str | None] | None = None,
    ) -> ChildSpec:
        """A child that writes to this file and then executes `then`."""
        program = _PROGRAM.format(event_file=str(self.path), name=name, then=then, on_term=on_term)
        return ChildSpec(
            name=name,
            argv=[sys.executable, "-S", "-c", program],
            needs=needs,
            grace_s=grace_s,
            probe=probe,
        )

    def names(self, word: str) -> list[str]:
        """The names of the processes that wrote the word, in order."""
        return [line[1] for line in self._lines() if line[0] == word]

    def pids(self, name: str | None = None) -> list[int]:
        """The process ids of the processes that started, in order."""
        lines = [line for line in self._lines() if line[0] == "started"]
        return [int(line[2]) for line in lines if name in (None, line[1])]

    def _lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]


class RunningSupervisor:
    """A supervisor in a thread, and the events that it reported."""

    def __init__(self, specs: Sequence[ChildSpec], folder: Path, policy: RestartPolicy) -> None:
        self.events: list[StackEvent] = []
        self.stop = StopRequest()
        self.error: Exception | None = None
        self.supervisor = Supervisor(
            specs,
            log_folder=folder / "logs",
            work_folder=folder,
            report=self.events.append,
            policy=policy,
        )
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.supervisor.run(self.stop)
        except Exception as error:
            self.error = error

    def events_of(self, action: Action, child: str | None = None) -> list[StackEvent]:
        """The events with this action of this child."""
        return [e for e in tuple(self.events) if (e.action, e.child) == (action, child)]

    def end(self) -> None:
        """Stop the supervisor and wait for it."""
        self.stop.request()
        self.thread.join()


@contextmanager
def running(
    specs: Sequence[ChildSpec], folder: Path, policy: RestartPolicy = FAST_RESTARTS
) -> Iterator[RunningSupervisor]:
    """Run the children while the block runs."""
    supervised = RunningSupervisor(specs, folder, policy)
    supervised.thread.start()
    try:
        yield supervised
    finally:
        supervised.end()


def main(folder: Path) -> None:
    """A supervisor in a process of its own, so that it can be interrupted and killed."""
    event_file = EventFile(folder)
    stop = StopRequest()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.request())
    Supervisor(
        [event_file.child("first"), event_file.child("second"), event_file.child("third")],
        log_folder=folder / "logs",
        work_folder=folder,
        report=lambda event: print(event.action.value, flush=True),
    ).run(stop)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
