"""The password of Redis: the operator's, or a random one that is made once and kept."""

from __future__ import annotations

import secrets
import uuid
from pathlib import Path

PASSWORD = "redis_password"
# Redis reads its own password from a file that its configuration includes.
REDIS_CONF = "redis.conf"
SHORTEST = 16
# The group of the folder, which Redis's user joins, may read; no other account may.
_MODE = 0o440


class PasswordError(Exception):
    """The password of Redis is missing or invalid; the message says what to do."""


def provide_password(provided: Path, volume: Path, *, chosen_folder: str | None) -> str:
    """Put the password into folder `volume`, for the clients and for Redis. Returns what was done.

    `provided` is the operator's folder; `chosen_folder` is its path on the host if the operator has
    set one, which must then contain the password. Raises `PasswordError`.
    """
    provided_file = provided / PASSWORD
    if provided_file.exists():
        password, done = _read(provided_file), "Redis's password: the one you provided."
    elif chosen_folder is not None:
        raise PasswordError(
            f"SPINELABEL_SECRETS names {chosen_folder}, but there is no {PASSWORD} in that folder. "
            "Put "
            "the password of Redis there, or unset SPINELABEL_SECRETS to have one made."
        )
    elif (volume / PASSWORD).exists():
        password, done = (
            _read(volume / PASSWORD),
            "Redis's password: the one that was made earlier.",
        )
    else:
        password, done = secrets.token_urlsafe(32), "Redis's password: a random one was made."
    _write(volume / PASSWORD, password + "\n")
    _write(volume / REDIS_CONF, f"requirepass {_quoted(password)}\n")
    return done


def _read(path: Path) -> str:
    try:
        password = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordError(
            f"the file {PASSWORD} cannot be read ({error}). It must be a text file that user or "
            "group "
            f"10001 may read: chgrp 10001 {PASSWORD} && chmod 640 {PASSWORD}."
        ) from error
    if password != "".join(password.split()) or len(password) < SHORTEST:
        raise PasswordError(
            f"the file {PASSWORD} must contain only the password of Redis, on one line: at least "
            f"{SHORTEST} characters without spaces."
        )
    return password


def _quoted(password: str) -> str:
    # Redis's configuration has quotes and escapes of its own; as bytes, no character is special.
    return '"' + "".join(f"\\x{byte:02x}" for byte in password.encode()) + '"'


def _write(path: Path, text: str) -> None:
    staged = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    staged.touch(mode=0o600)
    staged.write_text(text, "utf-8")
    staged.chmod(_MODE)
    staged.replace(path)
