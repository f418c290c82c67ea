"""The private Redis: a socket of its own, and durable writes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis

from cli.local_stack.data.redis_server import RedisServer, socket_path
from tests.waiting import eventually


def test_writes_survive_kill_9(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    server.client().set("book", "Emma")
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert not server.answers()
    restarted = RedisServer(tmp_path)
    restarted.start()
    try:
        assert restarted.client().get("book") == b"Emma"
        assert restarted.client().config_get("port") == {"port": "0"}
    finally:
        restarted.stop()
    assert not restarted.answers()


def test_a_large_append_only_file_is_rewritten(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        with server.client() as client:
            client.set("book", "Emma")
            server.compact()
            assert _file_bytes(client) < 1000  # small, so it is not rewritten
            assert client.info("persistence")["aof_rewrite_in_progress"] == 0
            for _ in range(66):
                client.set("book", "x" * 2**20)
            server.stop()
            server.start()
            assert _file_bytes(client) > 64 * 2**20
            server.compact()
            eventually(lambda: _file_bytes(client) <= 2 * 2**20)
            assert client.get("book") == b"x" * 2**20
    finally:
        server.stop()


def _file_bytes(client: redis.Redis) -> int:
    return int(client.info("persistence")["aof_current_size"])


def test_a_path_too_long_for_a_socket_gets_one_in_another_folder(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / ("e" * 120))
    assert server.socket == socket_path(server.folder)
    assert server.socket.parent != server.folder
    server.start()
    try:
        assert server.answers()
    finally:
        server.stop()


def test_its_files_are_private(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        for path in (server.socket, tmp_path / "appendonly.aof"):
            assert not path.stat().st_mode & 0o077
    finally:
        server.stop()
