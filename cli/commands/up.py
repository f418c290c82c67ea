"""The local stack in the foreground."""

from __future__ import annotations

import signal
from collections.abc import Callable

from ..errors import BadInput
from ..local_stack import ports
from ..local_stack.data.data_folder import DataFolder
from ..local_stack.settings import LocalStackSettings
from ..local_stack.stack import claimed_local_stack
from ..local_stack.supervision.events import Action, StackEvent, render
from ..local_stack.supervision.supervisor import StopRequest


def up(settings: LocalStackSettings, say: Callable[[str], None]) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP. Raises `BadInput` and `StackFailed`."""
    stop = StopRequest()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP, which is respected. SIGINT is always handled: shells ignore it for
        # background programs, so one that arrives was sent on purpose.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.request())
    url = ""

    def report(event: StackEvent) -> None:
        say(render(event))
        if event.action is Action.STACK_READY:
            say(f"Spinelabel is at {url} (Ctrl-C ends it). Try: spinelabel label FILE.csv")

    with claimed_local_stack(settings, temporary=False, report=report, note=say) as stack:
        if stack is None:
            raise BadInput(_already_running(settings))
        url = stack.url
        say(f"Data in {settings.data_dir}, logs in {settings.data_dir / 'logs'}")
        if not ports.is_local(settings.host):
            say(
                "Other machines can connect, so every request needs a key. Make one for each "
                "person, from another "
                f"terminal: spinelabel keys --data-dir {settings.data_dir} create --owner NAME"
            )
        stack.run(stop)


def _already_running(settings: LocalStackSettings) -> str:
    state = DataFolder(settings.data_dir).running()
    where = f" at {state.url} (process {state.pid})" if state else ""
    return (
        f"A stack runs on {settings.data_dir} already{where}. "
        "Use that one, end it with Ctrl-C, or choose another folder with --data-dir."
    )
