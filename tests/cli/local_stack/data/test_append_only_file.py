"""A real append-only file, damaged as disks and power failures damage them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.local_stack.data.append_only_file import Damage, damage, find
from cli.local_stack.data.redis_binary import RedisUnavailable
from cli.local_stack.data.redis_server import RedisServer
from tests.waiting import WITHIN_S, eventually

JOBS = 500


@pytest.fixture
def record(tmp_path: Path) -> RedisServer:
    """A Redis that has ended, and left its file."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    with server.client() as client:
        for number in range(JOBS):
            client.set(f"job:{number}", "x" * 100)
    server.stop()
    return server


def newest(folder: Path) -> Path:
    """The file that is written to, of whatever version."""
    found = [*folder.glob("appendonly.aof"), *folder.glob("appendonlydir/*.incr.aof")]
    assert found
    return found[-1]


def change(path: Path, how: Callable[[bytes], bytes]) -> None:
    path.write_bytes(how(path.read_bytes()))


def starts(server: RedisServer) -> bool:
    try:
        server.start()
    except RedisUnavailable:
        return False
    server.stop()
    return True


def in_the_middle(content: bytes) -> bytes:
    """Damage that shifts what follows: Redis does not notice altered bytes within one long value."""
    half = len(content) // 2
    return content[:half] + b"GARBAGE\0\0\0" * 30 + content[half + 307 :]


def test_a_whole_file_and_no_file_are_not_damaged(record: RedisServer, tmp_path: Path) -> None:
    assert find(record.folder) is not None
    assert damage(record.folder) is None
    assert damage(tmp_path / "nothing here") is None


def test_a_file_that_ends_early_is_not_damaged_because_redis_loads_it(record: RedisServer) -> None:
    change(newest(record.folder), lambda content: content[:-30])
    assert damage(record.folder) is None
    assert starts(record)


def test_damage_in_the_middle_is_found_and_its_cure_makes_redis_start(record: RedisServer) -> None:
    change(newest(record.folder), in_the_middle)
    assert not starts(record)
    found = damage(record.folder)
    assert isinstance(found, Damage)
    assert found.size is not None
    assert found.readable is not None
    assert 0 < found.readable < found.size
    assert str(found.path) in found.detail
    _carry_out(found.remedy, answer="y\n")
    assert damage(record.folder) is None
    record.start()
    try:
        with record.client() as client:
            assert JOBS // 3 < client.dbsize() < JOBS
    finally:
        record.stop()
    assert [*record.folder.rglob("*.damaged")]


def test_damage_in_the_snapshot_at_the_beginning_is_found_and_the_file_set_aside(
    record: RedisServer,
) -> None:
    record.start()
    with record.client() as client:
        client.bgrewriteaof()
        eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    record.stop()
    (snapshot,) = [*record.folder.glob("appendonlydir/*.base.rdb")] or [newest(record.folder)]
    change(snapshot, in_the_middle)
    assert not starts(record)
    found = damage(record.folder)
    assert isinstance(found, Damage)
    assert found.readable is None
    assert "starts without jobs" in found.remedy
    _carry_out(found.remedy)
    assert starts(record)


def _carry_out(cure: str, answer: str = "") -> None:
    """The command that a person finds in the advice."""
    (command,) = re.findall(r"`(.+)`", cure)
    subprocess.run(["bash", "-c", command], input=answer, text=True, check=True, timeout=WITHIN_S)
