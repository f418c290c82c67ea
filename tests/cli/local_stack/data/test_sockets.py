"""Sockets are in the given folder, or in a private folder that others cannot have created."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cli.local_stack.data.sockets import accepts, socket_path

DEEP = "e" * 120


def test_a_socket_is_in_its_folder_if_possible(tmp_path: Path) -> None:
    assert socket_path(tmp_path, "a.sock") == tmp_path / "a.sock"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [DEEP, "é" * 60, "with space", "100%41", "a?b", "a#b", "a:b"])
def test_an_unusable_path_is_replaced_by_a_private_folder(tmp_path: Path, name: str) -> None:
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


@pytest.mark.parametrize("defect", ["open", "of another user", "a link", "missing"])
def test_a_private_folder_that_was_tampered_with_is_replaced(tmp_path: Path, defect: str) -> None:
    home = tmp_path / DEEP
    before = socket_path(home, "a.sock").parent
    if defect == "open":
        before.chmod(0o777)
    elif defect == "of another user":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        os.chown(before, 65534, 65534)
    else:
        before.rmdir()
        if defect == "a link":
            (tmp_path / "other").mkdir(mode=0o700)
            before.symlink_to(tmp_path / "other")
    after = socket_path(home, "a.sock").parent
    assert after != before
    assert after.stat().st_mode & 0o777 == 0o700
    assert after.stat().st_uid == os.geteuid()
