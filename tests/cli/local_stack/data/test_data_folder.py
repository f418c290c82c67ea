"""The data folder: one stack per folder, how commands find it, and its permissions."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.errors import BadInput
from cli.local_stack.data.data_folder import DataFolder, StackState
from tests.stack import ROOT
from tests.waiting import eventually

HOLDER = """
import sys
from pathlib import Path
from cli.local_stack.data.data_folder import DataFolder, StackState
folder = DataFolder(Path(sys.argv[1]))
folder.prepare()
with folder.claimed(print) as lock:
    import os, subprocess
    with folder.announced(StackState(url="http://127.0.0.1:1", pid=os.getpid(), temporary=False)):
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


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_cannot_be_created_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match=r"cannot be written to .* --data-dir"):
        DataFolder(tmp_path / "file" / "data").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_writable_is_reported_in_one_sentence(tmp_path: Path) -> None:
    DataFolder(tmp_path).prepare()
    (tmp_path / "lock").chmod(0o400)
    with pytest.raises(BadInput, match="cannot be written to"):
        DataFolder(tmp_path).prepare()


def test_a_folder_can_be_claimed_once_at_a_time(folder: DataFolder) -> None:
    with folder.claimed(print) as first:
        assert first is not None
        with folder.announced(state(os.getpid())), folder.claimed(print) as second:
            assert second is None
    with folder.claimed(print) as third:
        assert third is not None


def test_a_claim_waits_for_the_children_of_a_killed_supervisor(folder: DataFolder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
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
    eventually(lambda: notes)
    assert not claims
    holder.stdin.close()  # the child waits for this
    claiming.join()
    assert claims == [True]
    holder.stdout.close()


def test_a_stack_is_found_while_its_supervisor_runs(folder: DataFolder) -> None:
    assert folder.running() is None
    with folder.announced(state(os.getpid())):
        assert folder.running() == state(os.getpid())
    assert folder.running() is None


def test_the_state_of_a_killed_supervisor_is_ignored_even_if_its_pid_is_reused(
    folder: DataFolder,
) -> None:
    leftover = json.dumps(asdict(state(os.getpid())))  # a live process, but no supervisor
    (folder.path / "stack.json").write_text(leftover)
    assert folder.running() is None
    with folder.shared() as shared_state:
        assert shared_state is None
    with folder.announced(state(os.getpid())):
        assert folder.running() is not None


def test_a_damaged_state_file_is_ignored(folder: DataFolder) -> None:
    for damaged in (b"", b"\xff", b"[]", b'{"url": 1}'):
        (folder.path / "stack.json").write_bytes(damaged)
        assert folder.running() is None


def test_a_temporary_stack_runs_while_another_command_uses_it(folder: DataFolder) -> None:
    with folder.announced(state(os.getpid(), temporary=True)):
        notes: list[str] = []
        withdrawing = threading.Thread(target=folder.withdraw, args=[notes.append])
        with folder.shared() as shared_state:
            assert shared_state is not None
            withdrawing.start()
            eventually(lambda: notes)
            assert folder.running() is not None
        withdrawing.join()
        with folder.shared() as shared_state:
            assert shared_state is None


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def test_a_new_folder_is_private_with_any_umask(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with umask(0):
        folder.prepare()
        with folder.announced(state(os.getpid())):
            created = [folder.path, *folder.path.rglob("*")]
            assert len(created) >= 6
            assert {
                path.name: oct(mode(path) & 0o077) for path in created if mode(path) & 0o077
            } == {}


def test_an_existing_data_folder_is_made_private(folder: DataFolder) -> None:
    folder.path.chmod(0o755)
    assert folder.open_to_others
    folder.prepare()
    assert mode(folder.path) == 0o700
    assert not folder.open_to_others


def test_the_folder_may_contain_a_mounted_disk_before_the_first_start(tmp_path: Path) -> None:
    (tmp_path / "data" / "storage").mkdir(parents=True)
    (tmp_path / "data").chmod(0o755)
    DataFolder(tmp_path / "data").prepare()
    assert mode(tmp_path / "data") == 0o700


def test_a_folder_with_other_files_is_refused_unchanged(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "something").touch()
    with pytest.raises(BadInput, match=r"Other users .* can read .*chmod 700 "):
        DataFolder(shared).prepare()
    assert [path.name for path in shared.iterdir()] == ["something"]
    shared.chmod(0o700)
    DataFolder(shared).prepare()


def test_a_shared_temporary_folder_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    with pytest.raises(BadInput, match="contains more than a stack's data"):
        DataFolder(tmp_path / "tmp").prepare()
    assert mode(tmp_path / "tmp") == 0o1777


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(BadInput, match="belongs to another user"):
        DataFolder(tmp_path / "theirs").prepare()


def test_withdrawing_works_after_the_folder_was_deleted(folder: DataFolder) -> None:
    with folder.announced(state(os.getpid())):
        shutil.rmtree(folder.path)
        folder.withdraw(print)
