"""The supervisor over stand-in children: restarts, crash loops, order of the end, no orphans."""

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
from tests.cli.local_stack.supervision.fake_processes import Diary, running
from tests.stack import ROOT
from tests.waiting import WITHIN_S, eventually


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path)


def lives(pid: int) -> bool:
    """A zombie is dead: only its parent has not looked yet."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_children_end_in_the_opposite_order_of_their_start(diary: Diary, tmp_path: Path) -> None:
    names = ["redis", "serving", "worker", "api"]
    with running([diary.child(name) for name in names], tmp_path):
        eventually(lambda: len(diary.names("started")) == 4)
    assert diary.names("ended") == names[::-1]
    assert not any(lives(pid) for pid in diary.pids())


def test_a_child_waits_for_those_it_needs_and_no_longer(diary: Diary, tmp_path: Path) -> None:
    missing: list[str | None] = ["still loading"]
    specs = [
        diary.child("store", probe=lambda: missing[0]),
        diary.child("user", needs=("store",)),
        diary.child("loner"),
    ]
    with running(specs, tmp_path) as stack:
        eventually(lambda: set(diary.names("started")) == {"store", "loner"})
        assert not stack.seen(Action.STARTING, "user")
        assert not stack.supervisor.ready
        missing[0] = None
        eventually(lambda: stack.supervisor.ready)
        eventually(lambda: "user" in diary.names("started"))


def test_a_child_that_dies_is_started_again_and_that_is_said(diary: Diary, tmp_path: Path) -> None:
    with running([diary.child("worker"), diary.child("api")], tmp_path) as stack:
        eventually(lambda: stack.supervisor.ready and len(diary.pids()) == 2)
        os.kill(diary.pids("worker")[0], signal.SIGKILL)
        eventually(lambda: len(diary.pids("worker")) == 2)
        assert len(diary.pids("api")) == 1
    (death,) = stack.seen(Action.DIED, "worker")
    assert "ended by SIGKILL; starting it again in" in death.detail
    assert len(stack.seen(Action.STARTING, "worker")) == 2


def test_a_ready_stack_is_patient_with_a_child_that_keeps_dying(
    diary: Diary, tmp_path: Path
) -> None:
    with running([diary.child("worker", then="sys.exit(2)")], tmp_path) as stack:
        eventually(lambda: len(diary.pids()) > 4 * RestartPolicy().tries_at_start)
        assert stack.error is None


def test_what_a_dead_child_leaves_running_is_ended_before_it_is_started_again(
    diary: Diary, tmp_path: Path
) -> None:
    fork = "if os.fork() == 0: write('forked')\ntime.sleep(3600)"
    with running([diary.child("worker", then=fork)], tmp_path) as stack:
        eventually(lambda: stack.supervisor.ready and diary.names("forked"))
        (orphan,) = psutil.Process(diary.pids()[0]).children()
        os.kill(diary.pids()[0], signal.SIGKILL)
        eventually(lambda: len(diary.pids()) == 2)
        assert not lives(orphan.pid)


def test_a_crash_loop_at_start_ends_everything_and_shows_the_end_of_the_log(
    diary: Diary, tmp_path: Path
) -> None:
    broken = diary.child(
        "serving", then="sys.exit('the model is broken')", probe=lambda: "it does not listen yet"
    )
    specs = [diary.child("redis"), broken]
    with running(specs, tmp_path) as stack:
        stack.thread.join()
    assert isinstance(stack.error, StackFailed)
    assert stack.error.exit_code == 3
    assert "serving died 3 times in a row (exit status 1)" in str(stack.error)
    assert "the model is broken" in str(stack.error)
    assert len(diary.pids("serving")) == 3
    assert diary.names("ended") == ["redis"]


def test_a_wrong_setting_is_not_tried_again(diary: Diary, tmp_path: Path) -> None:
    child = diary.child("api", then="sys.exit(2)", probe=lambda: "it does not answer yet")
    with running([child], tmp_path) as stack:
        stack.thread.join()
    assert isinstance(stack.error, StackFailed)
    assert len(diary.pids()) == 1


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    child = ChildSpec(name="redis", argv=["/no/such/redis"], probe=lambda: "it does not answer yet")
    with running([child], tmp_path) as stack:
        stack.thread.join()
    assert "/no/such/redis cannot be run" in str(stack.error)


def test_a_child_that_does_not_listen_is_killed_after_its_grace(
    diary: Diary, tmp_path: Path
) -> None:
    with running([diary.child("deaf", on_term="signal.SIG_IGN", grace_s=0.2)], tmp_path) as stack:
        eventually(lambda: diary.pids())
    assert not lives(diary.pids()[0])
    assert stack.seen(Action.KILLED, "deaf")


def test_asking_twice_kills_at_once(diary: Diary, tmp_path: Path) -> None:
    child = diary.child("deaf", on_term="signal.SIG_IGN", grace_s=3600)
    with running([child], tmp_path) as stack:
        eventually(lambda: diary.pids())
        stack.stop.ask()
        stack.stop.ask()
    assert not lives(diary.pids()[0])


def test_children_log_to_their_own_files(diary: Diary, tmp_path: Path) -> None:
    with running([diary.child("api"), diary.child("beat")], tmp_path):
        eventually(lambda: len(diary.pids()) == 2)
        eventually(lambda: (tmp_path / "logs" / "beat.log").read_text() == "hello from beat\n")
    assert (tmp_path / "logs" / "api.log").read_text() == "hello from api\n"


def test_a_report_that_cannot_be_delivered_stops_nothing(diary: Diary, tmp_path: Path) -> None:
    def closed_terminal(_: object) -> None:
        raise BrokenPipeError

    stop = StopRequest()

    def probe() -> str | None:
        stop.ask()
        return None

    Supervisor(
        [diary.child("api", probe=probe)],
        log_folder=tmp_path,
        work_folder=tmp_path,
        report=closed_terminal,
    ).run(stop)
    assert not any(lives(pid) for pid in diary.pids())


@contextmanager
def supervisor_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Diary]]:
    diary = Diary(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.local_stack.supervision.fake_processes", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: len(diary.pids()) == 3)
        yield process, diary
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_supervisor_and_children_in_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    with supervisor_process(tmp_path) as (process, diary):
        process.send_signal(number)
        said, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 0
    assert said.endswith("stopping\nstopped\n")
    assert diary.names("ended") == ["third", "second", "first"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_no_child_outlives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with supervisor_process(tmp_path) as (process, diary):
        process.kill()
        eventually(lambda: not any(lives(pid) for pid in diary.pids()))
    assert sorted(diary.names("ended")) == ["first", "second", "third"]


def test_the_delay_doubles_up_to_a_bound_and_a_stack_that_was_ready_never_gives_up() -> None:
    policy = RestartPolicy(first_delay_s=1, longest_delay_s=5)
    delays = [policy.delay(deaths, code=2, stack_was_ready=True) for deaths in range(6)]
    assert delays == [1, 1, 2, 4, 5, 5]
    assert policy.delay(100_000, code=1, stack_was_ready=True) == 5


def test_a_stack_that_was_never_ready_gives_up_soon() -> None:
    policy = RestartPolicy(first_delay_s=1, longest_delay_s=5, tries_at_start=3)
    delays = [policy.delay(deaths, code=1, stack_was_ready=False) for deaths in range(4)]
    assert delays == [1, 1, 2, None]
    assert policy.delay(1, code=2, stack_was_ready=False) is None


def test_a_death_after_a_long_life_counts_as_the_first() -> None:
    policy = RestartPolicy(short_life_s=10)
    assert not policy.is_quick(lived_s=11, was_ready=True)
    assert policy.is_quick(lived_s=9, was_ready=True)
    assert policy.is_quick(lived_s=11, was_ready=False)
