"""A stack's data is its user's own: another user of the machine reads nothing of it and connects to nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.stack import ROOT, SAMPLE, Stack, running_stack

NOBODY = 65534
# What a user can do with each of the paths: prints those where anything is allowed.
LOOK = 'for path; do if [ -e "$path" ] || [ -r "$path" ] || [ -w "$path" ]; then echo "$path"; fi; done'


@pytest.fixture(scope="module")
def shared_place() -> Iterator[Path]:
    """A folder that every user of the machine can look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place


@pytest.fixture(scope="module")
def used_stack(shared_place: Path) -> Iterator[Stack]:
    """A stack that has labelled a catalogue."""
    before = os.umask(0o022)
    try:
        with running_stack(shared_place / "data") as stack:
            job = stack.wait(stack.submit(SAMPLE.read_bytes()))
            assert job["state"] == "completed"
            yield stack
    finally:
        os.umask(before)


def everything(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_no_file_folder_or_socket_is_open_to_others(used_stack: Stack) -> None:
    found = everything(used_stack.data_dir)
    names = {path.name for path in found}
    assert {"redis.sock", "model.sock", "worker.log", "api.log", "stack.json"} <= names
    assert any(path.name.startswith("result") for path in found)
    opened = {
        str(path): oct(path.lstat().st_mode) for path in found if path.lstat().st_mode & 0o077
    }
    assert opened == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_can_do_nothing_with_any_path(used_stack: Stack, shared_place: Path) -> None:
    (shared_place / "for everybody").write_text("x")

    def as_nobody(*paths: Path) -> list[str]:
        done = subprocess.run(
            ["/bin/sh", "-c", LOOK, "sh", *map(str, paths)],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert as_nobody(shared_place / "for everybody"), "the test itself sees nothing"
    inside = everything(used_stack.data_dir)
    assert as_nobody(*inside) == [str(used_stack.data_dir)]  # that it exists, and no more
    listed = subprocess.run(
        ["find", str(used_stack.data_dir)], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
        capture_output=True, text=True,
    )  # fmt: skip
    assert listed.stdout.splitlines() == [str(used_stack.data_dir)]


def test_nothing_but_the_api_has_a_port(used_stack: Stack) -> None:
    ports = {
        (connection.laddr.ip, connection.laddr.port)
        for process in used_stack.supervisor.children(recursive=True)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert ports == {("127.0.0.1", used_stack.http.base_url.port)}


def test_a_result_that_was_asked_for_keeps_its_users_umask(
    used_stack: Stack, shared_place: Path
) -> None:
    target = shared_place / "labelled.csv"
    words = ["label", SAMPLE, "-o", target, "--data-dir", used_stack.data_dir]
    command = [sys.executable, "-m", "cli", *map(str, words)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600, umask=0o027)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
