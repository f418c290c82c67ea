"""The data of a stack is private: other users can neither read it nor connect to it."""

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

OTHER_UID = 65534
# Prints the paths that the user can see, read or write.
PRINT_ACCESSIBLE = 'for path; do if [ -e "$path" ] || [ -r "$path" ] || [ -w "$path" ]; then echo "$path"; fi; done'


@pytest.fixture(scope="module")
def public_folder() -> Iterator[Path]:
    """A folder that every user can read, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def used_stack(public_folder: Path) -> Iterator[Stack]:
    """A stack that has labelled a catalogue."""
    before = os.umask(0o022)
    try:
        with running_stack(public_folder / "data") as stack:
            job = stack.wait(stack.submit(SAMPLE.read_bytes()))
            assert job["state"] == "completed"
            yield stack
    finally:
        os.umask(before)


def all_paths(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_every_file_folder_and_socket_is_private(used_stack: Stack) -> None:
    paths = all_paths(used_stack.data_dir)
    names = {path.name for path in paths}
    assert {"redis.sock", "model.sock", "worker.log", "api.log", "stack.json"} <= names
    assert any(path.name.startswith("result") for path in paths)
    open_paths = {
        str(path): oct(path.lstat().st_mode) for path in paths if path.lstat().st_mode & 0o077
    }
    assert open_paths == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_can_access_no_path(used_stack: Stack, public_folder: Path) -> None:
    (public_folder / "public.txt").write_text("x")

    def accessible_to_others(*paths: Path) -> list[str]:
        result = subprocess.run(
            ["/bin/sh", "-c", PRINT_ACCESSIBLE, "sh", *map(str, paths)],
            user=OTHER_UID,
            group=OTHER_UID,
            extra_groups=[],
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return result.stdout.splitlines()

    assert accessible_to_others(public_folder / "public.txt"), "the check finds no public file"
    paths = all_paths(used_stack.data_dir)
    # Only the existence of the folder is visible.
    assert accessible_to_others(*paths) == [str(used_stack.data_dir)]
    listed = subprocess.run(
        ["find", str(used_stack.data_dir)], user=OTHER_UID, group=OTHER_UID, extra_groups=[], cwd="/",
        capture_output=True, text=True,
    )  # fmt: skip
    assert listed.stdout.splitlines() == [str(used_stack.data_dir)]


def test_only_the_api_listens_on_a_port(used_stack: Stack) -> None:
    ports = {
        (connection.laddr.ip, connection.laddr.port)
        for process in used_stack.supervisor.children(recursive=True)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert ports == {("127.0.0.1", used_stack.http.base_url.port)}


def test_a_downloaded_result_has_the_permissions_of_the_users_umask(
    used_stack: Stack, public_folder: Path
) -> None:
    target = public_folder / "labelled.csv"
    arguments = ["label", SAMPLE, "-o", target, "--data-dir", used_stack.data_dir]
    command = [sys.executable, "-m", "cli", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600, umask=0o027)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
