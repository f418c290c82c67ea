"""Where sockets go: into the folder, or into a private one that nobody else can have made."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cli.local_stack.data.sockets import accepts, socket_path

DEEP = "e" * 120


def test_a_socket_is_in_its_folder_if_it_can_be(tmp_path: Path) -> None:
    assert socket_path(tmp_path, "a.sock") == tmp_path / "a.sock"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [DEEP, "é" * 60, "with space", "100%41", "a?b", "a#b", "a:b"])
def test_a_path_that_cannot_be_used_gives_way_to_a_private_folder(
    tmp_path: Path, name: str
) -> None:
    home = tmp_path / name
    path = socket_path(home, "a.sock")
    assert path.parent != home
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert socket_path(home, "a.sock") == path
    assert socket_path(tmp_path / (name + "2"), "a.sock") != path
    with socket.socket(socket.AF_UNIX) as server:
        assert not accepts(path)
        server.bind(str(path))
        server.listen()
        assert accepts(path)


@pytest.mark.parametrize("theirs", ["open", "of another user", "a link", "gone"])
def test_a_folder_that_is_not_private_is_not_used_again(tmp_path: Path, theirs: str) -> None:
    home = tmp_path / DEEP
    before = socket_path(home, "a.sock").parent
    if theirs == "open":
        before.chmod(0o777)
    elif theirs == "of another user":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(before, 65534, 65534)
    else:
        before.rmdir()
        if theirs == "a link":
            (tmp_path / "elsewhere").mkdir(mode=0o700)
            before.symlink_to(tmp_path / "elsewhere")
    after = socket_path(home, "a.sock").parent
    assert after != before
    assert after.stat().st_mode & 0o777 == 0o700
    assert after.stat().st_uid == os.geteuid()
