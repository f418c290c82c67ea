"""Unix sockets of a data folder: in it, or in a private folder if its path cannot be used."""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ...errors import StackFailed

# The kernel's limit is 107 bytes on Linux and 103 on macOS.
_MAX_PATH_BYTES = 100
# redis-py, kombu and gRPC each read the path out of a URL, and disagree about everything else.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
_LINK = "sockets"


def socket_path(home: Path, name: str) -> Path:
    """Path of the socket `name` of the folder `home`, the same at every call.

    If the path of `home` is too long or contains special characters, the socket is in a new folder
    of mode 0700 in the temporary folder; the link `home/sockets` points to it. Other users cannot
    prepare that folder: its name is random, and a folder that is not private to this user is not
    used.

    Raises:
        StackFailed: the path of the temporary folder is too long as well.
    """
    path = home / name
    return path if _usable(path) else _private_folder(home / _LINK, name) / name


def accepts(path: Path) -> bool:
    """Whether a server accepts connections on this socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(path))
        except OSError:
            return False
        return True


def _usable(path: Path) -> bool:
    return len(os.fsencode(path)) <= _MAX_PATH_BYTES and _PLAIN.fullmatch(str(path)) is not None


def _private_folder(link: Path, name: str) -> Path:
    with suppress(OSError):
        folder = link.readlink()
        if _is_private(folder) and _usable(folder / name):
            return folder
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = _make_folder(name)
    fresh = link.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(made)
    fresh.replace(link)
    return made


def _make_folder(name: str) -> Path:
    for place in (tempfile.gettempdir(), "/tmp"):
        made = Path(tempfile.mkdtemp(prefix="spinelabel-", dir=place))
        if _usable(made / name):
            return made
        made.rmdir()
    raise StackFailed(
        f"The path {tempfile.gettempdir()} is too long for sockets; set TMPDIR to a shorter path."
    )


def _is_private(folder: Path) -> bool:
    status = folder.lstat()
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and not stat.S_IMODE(status.st_mode) & 0o077
    )
