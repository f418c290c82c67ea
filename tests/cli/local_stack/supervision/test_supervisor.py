"""The supervisor of fake processes: restarts, crash loops, order of the shutdown, no orphans."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from cli.errors import StackFailed
from cli.local_stack.supervision.events import Action
from cli.local_stack.supervision.process import ChildSpec
from cli.local_stack.supervision.restart_policy import RestartPolicy
from cli.local_stack.supervision.supervisor import StopRequest, Supervisor
from tests.cli.local_stack.supervision.fake_processes import EventFile, running
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually


@pytest.fixture
def event_file(tmp_path: Path) -> EventFile:
    return EventFile(tmp_path)


def is_running(pid: int) -> bool:
    """Whether the process runs; a zombie does not, its parent has only not waited for it yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_children_stop_in_reverse_order_of_their_start(
    event_file: EventFile, tmp_path: Path
) -> None:
    names = ["redis", "serving", "worker", "api"]
    with running([event_file.child(name) for name in names], tmp_path):
        eventually(lambda: len(event_file.names("started")) == 4)
    assert event_file.names("ended") == names[::-1]
    assert not any(is_running(pid) for pid in event_file.pids())


def test_a_child_starts_when_its_dependencies_are_ready(
    event_file: EventFile, tmp_path: Path
) -> None:
    missing: list[str | None] = ["still loading"]
    specs = [
        event_file.child("store", probe=lambda: missing[0]),
        event_file.child("user", needs=("store",)),
        event_file.child("independent"),
    ]
    with running(specs, tmp_path) as stack:
        eventually(lambda: set(event_file.names("started")) == {"store", "independent"})
        assert not stack.events_of(Action.STARTING, "user")
        assert not stack.supervisor.ready
        missing[0] = None
        eventually(lambda: stack.supervisor.ready)
        eventually(lambda: "user" in event_file.names("started"))


def test_a_dead_child_is_restarted_and_reported(event_file: EventFile, tmp_path: Path) -> None:
    with running([event_file.child("worker"), event_file.child("api")], tmp_path) as stack:
        eventually(lambda: stack.supervisor.ready and len(event_file.pids()) == 2)
        os.kill(event_file.pids("worker")[0], signal.SIGKILL)
        eventually(lambda: len(event_file.pids("worker")) == 2)
        assert len(event_file.pids("api")) == 1
    (death,) = stack.events_of(Action.DIED, "worker")
    assert "ended by SIGKILL; starting it again in" in death.detail
    assert len(stack.events_of(Action.STARTING, "worker")) == 2


def test_a_ready_stack_keeps_restarting_a_crashing_child(
    event_file: EventFile, tmp_path: Path
) -> None:
    with running([event_file.child("worker", then="sys.exit(2)")], tmp_path) as stack:
        eventually(lambda: len(event_file.pids()) > 4 * RestartPolicy().tries_at_start)
        assert stack.error is None


def test_orphans_of_a_dead_child_are_ended_before_its_restart(
    event_file: EventFile, tmp_path: Path
) -> None:
    fork = "if os.fork() == 0: write('forked')\ntime.sleep(3600)"
    with running([event_file.child("worker", then=fork)], tmp_path) as stack:
        eventually(lambda: stack.supervisor.ready and event_file.names("forked"))
        (orphan,) = psutil.Process(event_file.pids()[0]).children()
        os.kill(event_file.pids()[0], signal.SIGKILL)
        eventually(lambda: len(event_file.pids()) == 2)
        assert not is_running(orphan.pid)


def test_a_crash_loop_at_start_stops_the_stack_and_shows_the_end_of_the_log(
    event_file: EventFile, tmp_path: Path
) -> None:
    broken = event_file.child(
        "serving", then="sys.exit('the model is broken')", probe=lambda: "it does not listen yet"
    )
    specs = [event_file.child("redis"), broken]
    with running(specs, tmp_path) as stack:
        stack.thread.join()
    assert isinstance(stack.error, StackFailed)
    assert stack.error.exit_code == 3
    assert "serving died 3 times in a row (exit status 1)" in str(stack.error)
    assert "the model is broken" in str(stack.error)
    assert len(event_file.pids("serving")) == 3
    assert event_file.names("ended") == ["redis"]


def test_a_child_with_an_invalid_setting_is_not_restarted(
    event_file: EventFile, tmp_path: Path
) -> None:
    child = event_file.child("api", then="sys.exit(2)", probe=lambda: "it does not answer yet")
    with running([child], tmp_path) as stack:
        stack.thread.join()
    assert isinstance(stack.error, StackFailed)
    assert len(event_file.pids()) == 1


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    child = ChildSpec(name="redis", argv=["/no/such/redis"], probe=lambda: "it does not answer yet")
    with running([child], tmp_path) as stack:
        stack.thread.join()
    assert "/no/such/redis cannot be run" in str(stack.error)


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(
    event_file: EventFile, tmp_path: Path
) -> None:
    with running(
        [event_file.child("stubborn", on_term="signal.SIG_IGN", grace_s=0.2)], tmp_path
    ) as stack:
        eventually(lambda: event_file.pids())
    assert not is_running(event_file.pids()[0])
    assert stack.events_of(Action.KILLED, "stubborn")


def test_a_second_stop_request_kills_at_once(event_file: EventFile, tmp_path: Path) -> None:
    child = event_file.child("stubborn", on_term="signal.SIG_IGN", grace_s=3600)
    with running([child], tmp_path) as stack:
        eventually(lambda: event_file.pids())
        stack.stop.request()
        stack.stop.request()
    assert not is_running(event_file.pids()[0])


def test_children_log_to_their_own_files(event_file: EventFile, tmp_path: Path) -> None:
    with running([event_file.child("api"), event_file.child("beat")], tmp_path):
        eventually(lambda: len(event_file.pids()) == 2)
        eventually(lambda: (tmp_path / "logs" / "beat.log").read_text() == "hello from beat\n")
    assert (tmp_path / "logs" / "api.log").read_text() == "hello from api\n"


def test_a_failing_report_does_not_stop_the_supervisor(
    event_file: EventFile, tmp_path: Path
) -> None:
    def closed_terminal(_: object) -> None:
        raise BrokenPipeError

    stop = StopRequest()

    def probe() -> str | None:
        stop.request()
        return None

    Supervisor(
        [event_file.child("api", probe=probe)],
        log_folder=tmp_path,
        work_folder=tmp_path,
        report=closed_terminal,
    ).run(stop)
    assert not any(is_running(pid) for pid in event_file.pids())


@contextmanager
def supervisor_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], EventFile]]:
    event_file = EventFile(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.local_stack.supervision.fake_processes", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: len(event_file.pids()) == 3)
        yield process, event_file
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_children_in_order_and_the_supervisor(
    tmp_path: Path, stop_signal: signal.Signals
) -> None:
    with supervisor_process(tmp_path) as (process, event_file):
        process.send_signal(stop_signal)
        output, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert output.endswith("stopping\nstopped\n")
    assert event_file.names("ended") == ["third", "second", "first"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with supervisor_process(tmp_path) as (process, event_file):
        process.kill()
        eventually(lambda: not any(is_running(pid) for pid in event_file.pids()))
    assert sorted(event_file.names("ended")) == ["first", "second", "third"]


def test_the_delay_doubles_up_to_a_limit_and_a_stack_that_was_ready_retries_forever() -> None:
    policy = RestartPolicy(first_delay_s=1, longest_delay_s=5)
    delays = [policy.delay(deaths, code=2, stack_was_ready=True) for deaths in range(6)]
    assert delays == [1, 1, 2, 4, 5, 5]
    assert policy.delay(100_000, code=1, stack_was_ready=True) == 5


def test_a_stack_that_was_never_ready_gives_up_after_three_deaths() -> None:
    policy = RestartPolicy(first_delay_s=1, longest_delay_s=5, tries_at_start=3)
    delays = [policy.delay(deaths, code=1, stack_was_ready=False) for deaths in range(4)]
    assert delays == [1, 1, 2, None]
    assert policy.delay(1, code=2, stack_was_ready=False) is None


def test_a_death_after_a_long_life_resets_the_count() -> None:
    policy = RestartPolicy(short_life_s=10)
    assert not policy.is_quick(lived_s=11, was_ready=True)
    assert policy.is_quick(lived_s=9, was_ready=True)
    assert policy.is_quick(lived_s=11, was_ready=False)
