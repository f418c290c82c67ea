"""Small programs in place of the stack's, and a supervisor over them as a program of its own.

python -m tests.cli.local_stack.supervision.fake_processes FOLDER    runs a supervisor over three obedient children
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

# Writes its process id and name to the diary at its start and its end.
_DIARIST = """
import os, signal, sys, time
def write(word):
    with open({diary!r}, "a") as diary:
        diary.write(f"{{word}} {name} {{os.getpid()}}\\n")
def end(*_):
    write("ended")
    sys.exit(0)
signal.signal(signal.SIGTERM, {on_term})
write("started")
print("hello from {name}", flush=True)
{then}
"""

IMPATIENT = RestartPolicy(first_delay_s=0.02, longest_delay_s=0.1, short_life_s=0.2)


class Diary:
    """What the stand-ins wrote."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "diary"
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
        """A child that writes to this diary, and then does what `then` says."""
        program = _DIARIST.format(diary=str(self.path), name=name, then=then, on_term=on_term)
        return ChildSpec(
            name=name,
            argv=[sys.executable, "-S", "-c", program],
            needs=needs,
            grace_s=grace_s,
            probe=probe,
        )

    def names(self, word: str) -> list[str]:
        """Names of those who wrote the word, in order."""
        return [line[1] for line in self._lines() if line[0] == word]

    def pids(self, name: str | None = None) -> list[int]:
        """Process ids of those who started, in order."""
        lines = [line for line in self._lines() if line[0] == "started"]
        return [int(line[2]) for line in lines if name in (None, line[1])]

    def _lines(self) -> list[list[str]]:
        return [line.split() for line in self.path.read_text().splitlines()]


class Running:
    """A supervisor on a thread, and what it reported."""

    def __init__(self, specs: Sequence[ChildSpec], folder: Path, policy: RestartPolicy) -> None:
        self.happenings: list[StackEvent] = []
        self.stop = StopRequest()
        self.error: Exception | None = None
        self.supervisor = Supervisor(
            specs,
            log_folder=folder / "logs",
            work_folder=folder,
            report=self.happenings.append,
            policy=policy,
        )
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.supervisor.run(self.stop)
        except Exception as error:
            self.error = error

    def seen(self, action: Action, child: str | None = None) -> list[StackEvent]:
        """The happenings of one kind."""
        return [h for h in tuple(self.happenings) if (h.action, h.child) == (action, child)]

    def end(self) -> None:
        """Stop and wait."""
        self.stop.ask()
        self.thread.join()


@contextmanager
def running(
    specs: Sequence[ChildSpec], folder: Path, policy: RestartPolicy = IMPATIENT
) -> Iterator[Running]:
    """Run the children for the length of the block."""
    supervised = Running(specs, folder, policy)
    supervised.thread.start()
    try:
        yield supervised
    finally:
        supervised.end()


def main(folder: Path) -> None:
    """A supervisor in a process of its own, so that it can be interrupted and killed."""
    diary = Diary(folder)
    stop = StopRequest()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.ask())
    Supervisor(
        [diary.child("first"), diary.child("second"), diary.child("third")],
        log_folder=folder / "logs",
        work_folder=folder,
        report=lambda happening: print(happening.action.value, flush=True),
    ).run(stop)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
