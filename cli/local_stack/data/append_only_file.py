"""Finds the append-only file of Redis, detects damage, and describes the repair."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .redis_binary import RedisUnavailable, find_redis_binary

# `redis-check-aof` is the server's binary under another name, so every Redis has it.
_CHECKER = "redis-check-aof"
_CHECK_SECONDS = 120.0
_READABLE = re.compile(r"size=(\d+), ok_up_to=(\d+)")
# The checker's messages about a file that ends within a command. Redis loads it up to there.
_CUT_OFF = re.compile(r"Expected to read \d+ bytes, got \d+ bytes|Reached EOF before reading EXEC")
# The checker of Valkey 9.1 cannot read the snapshots of its own server.
_NOT_UNDERSTOOD = re.compile(r"filename=\S+\.base\.rdb, size=\d+, ok_up_to=0,")


@dataclass(frozen=True, kw_only=True)
class Damage:
    """An append-only file that Redis refuses to load."""

    path: Path
    binary: str
    size: int | None  # bytes; None: not even the snapshot at its beginning can be read
    readable: int | None  # bytes from the beginning

    @property
    def detail(self) -> str:
        """The problem in one sentence."""
        if self.readable is None or self.size is None:
            return f"Redis's append-only file {self.path} is damaged at its beginning."
        return (
            f"Redis's append-only file {self.path} is damaged: "
            f"of its {self.size:,} bytes the first {self.readable:,} can be read."
        )

    @property
    def remedy(self) -> str:
        """How to restore or repair the file."""
        damaged = self.path if self.path.suffix == ".aof" else self.path.parent
        aside = f"{shlex.quote(str(damaged))} {shlex.quote(f'{damaged}.damaged')}"
        restore = "Stop the stack and restore a copy of the data folder."
        if self.readable is None:
            return (
                f"{restore} Without a copy the jobs are lost: after `mv {aside}` the stack starts "
                "without jobs."
            )
        fix = f"exec -a {_CHECKER} {shlex.quote(self.binary)} --fix {shlex.quote(str(self.path))}"
        return (
            f"{restore} Without a copy, keep the readable part and lose all later changes: "
            f"`cp -r {aside} && bash -c {shlex.quote(fix)}`"
        )


def damage(folder: Path) -> Damage | None:
    """Return the damage of the file in `folder`; None if Redis can load it or either is missing.

    A file that ends within a command, as after a power failure, is not damaged: Redis loads it up
    to there. Reads the whole file and changes nothing.
    """
    path = find(folder)
    if path is None:
        return None
    try:
        binary = find_redis_binary()
        done = subprocess.run(
            [_CHECKER, str(path)],
            executable=binary,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CHECK_SECONDS,
        )
    except (RedisUnavailable, OSError, subprocess.TimeoutExpired):
        return None  # unknown; Redis's own log reports the damage
    if done.returncode != 1 or _CUT_OFF.search(done.stdout) or _NOT_UNDERSTOOD.search(done.stdout):
        return None
    sizes = _READABLE.findall(done.stdout) if "not sane" not in done.stdout else []
    size, readable = map(int, sizes[-1]) if sizes else (None, None)
    return Damage(path=path, binary=binary, size=size, readable=readable)


def find(folder: Path) -> Path | None:
    """Return the path of the append-only file, since Redis 7 of its manifest; None without one."""
    for path in (folder / "appendonlydir" / "appendonly.aof.manifest", folder / "appendonly.aof"):
        if path.exists():
            return path
    return None
