"""One stack on one folder, and the ways to find it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.errors import BadInput
from cli.stack.data_folder import DataFolder, StackState
from tests.cli.stand_ins import until

HOLDER = """
import sys
from pathlib import Path
from cli.stack.data_folder import DataFolder, StackState
folder = DataFolder(Path(sys.argv[1]))
folder.prepare()
with folder.claimed(print) as lock:
    import os, subprocess
    folder.announce(StackState(url="http://127.0.0.1:1", pid=os.getpid(), temporary=False))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=0, pass_fds=[lock])
    print("held", flush=True)
    child.wait()
"""


def state(pid: int, *, temporary: bool = False) -> StackState:
    return StackState(url="http://127.0.0.1:1", pid=pid, temporary=temporary)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    return folder


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot be written to .* --data-dir"):
        DataFolder(tmp_path / "file" / "data").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    DataFolder(tmp_path).prepare()
    (tmp_path / "lock").chmod(0o400)
    with pytest.raises(BadInput, match="cannot be written to"):
        DataFolder(tmp_path).prepare()


def test_a_folder_is_claimed_once_while_its_stack_lives(folder: DataFolder) -> None:
    with folder.claimed(print) as first:
        assert first is not None
        folder.announce(state(os.getpid()))
        with folder.claimed(print) as second:
            assert second is None
    with folder.claimed(print) as third:
        assert third is not None


def test_the_children_of_a_killed_supervisor_are_waited_for(folder: DataFolder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert holder.stdin
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    notes: list[str] = []
    claims: list[bool] = []

    def claim() -> None:
        with folder.claimed(notes.append) as lock:
            claims.append(lock is not None)

    claiming = threading.Thread(target=claim)
    claiming.start()
    until(lambda: notes)
    assert not claims
    holder.stdin.close()  # what the child waits for
    claiming.join()
    assert claims == [True]
    holder.stdout.close()


def test_a_stack_is_found_as_long_as_its_supervisor_lives(folder: DataFolder) -> None:
    assert folder.running() is None
    folder.announce(state(os.getpid()))
    assert folder.running() == state(os.getpid())
    folder.announce(state(dead_pid()))
    assert folder.running() is None
    folder.conceal()
    assert folder.state() is None


def test_a_damaged_state_file_is_no_stack(folder: DataFolder) -> None:
    for damaged in (b"", b"\xff", b"[]", b'{"url": 1}'):
        (folder.path / "stack.json").write_bytes(damaged)
        assert folder.running() is None


def test_a_temporary_stack_stays_up_while_another_command_uses_it(folder: DataFolder) -> None:
    folder.announce(state(os.getpid(), temporary=True))
    notes: list[str] = []
    withdrawing = threading.Thread(target=folder.withdraw, args=[notes.append])
    with folder.used() as found:
        assert found is not None
        withdrawing.start()
        until(lambda: notes)
        assert folder.running() is not None
    withdrawing.join()
    with folder.used() as found:
        assert found is None
