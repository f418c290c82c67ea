"""A real append-only file, damaged as disks and power failures do it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cli.local_stack.data.append_only_file import Damage, damage, find
from cli.local_stack.data.redis_binary import RedisUnavailable
from cli.local_stack.data.redis_server import RedisServer
from tests.cli.local_stack.data.append_only_files import change, newest, overwrite_the_middle
from tests.waiting import WITHIN_S, eventually

JOBS = 500


@pytest.fixture
def stopped_redis(tmp_path: Path) -> RedisServer:
    """A stopped Redis with an append-only file."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    with server.client() as client:
        for number in range(JOBS):
            client.set(f"job:{number}", "x" * 100)
    server.stop()
    return server


def starts(server: RedisServer) -> bool:
    try:
        server.start()
    except RedisUnavailable:
        return False
    server.stop()
    return True


def test_an_intact_and_a_missing_file_are_not_damaged(
    stopped_redis: RedisServer, tmp_path: Path
) -> None:
    assert find(stopped_redis.folder) is not None
    assert damage(stopped_redis.folder) is None
    assert damage(tmp_path / "missing") is None


def test_a_truncated_file_is_not_damaged_because_redis_loads_it(stopped_redis: RedisServer) -> None:
    change(newest(stopped_redis.folder), lambda content: content[:-30])
    assert damage(stopped_redis.folder) is None
    assert starts(stopped_redis)


def test_damage_in_the_middle_is_detected_and_the_remedy_lets_redis_start(
    stopped_redis: RedisServer,
) -> None:
    change(newest(stopped_redis.folder), overwrite_the_middle)
    assert not starts(stopped_redis)
    result = damage(stopped_redis.folder)
    assert isinstance(result, Damage)
    assert result.size is not None
    assert result.readable is not None
    assert 0 < result.readable < result.size
    assert str(result.path) in result.detail
    _run_remedy(result.remedy, typed="y\n")
    assert damage(stopped_redis.folder) is None
    stopped_redis.start()
    try:
        with stopped_redis.client() as client:
            assert JOBS // 3 < client.dbsize() < JOBS
    finally:
        stopped_redis.stop()
    assert [*stopped_redis.folder.rglob("*.damaged")]


def test_damage_in_the_snapshot_is_detected_and_the_remedy_moves_the_file_away(
    stopped_redis: RedisServer,
) -> None:
    stopped_redis.start()
    with stopped_redis.client() as client:
        client.bgrewriteaof()
        eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
    stopped_redis.stop()
    (snapshot,) = [*stopped_redis.folder.glob("appendonlydir/*.base.rdb")] or [
        newest(stopped_redis.folder)
    ]
    change(snapshot, overwrite_the_middle)
    assert not starts(stopped_redis)
    result = damage(stopped_redis.folder)
    assert isinstance(result, Damage)
    assert result.readable is None
    assert "starts without jobs" in result.remedy
    _run_remedy(result.remedy)
    assert starts(stopped_redis)


def _run_remedy(remedy: str, typed: str = "") -> None:
    """Run the command that the remedy contains."""
    (command,) = re.findall(r"`(.+)`", remedy)
    subprocess.run(["bash", "-c", command], input=typed, text=True, check=True, timeout=WITHIN_S)
