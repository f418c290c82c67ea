"""The private Redis: on a socket of its own, and durable."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis

from cli.local_stack.data.redis_server import RedisServer, socket_path
from tests.waiting import eventually


def test_what_was_written_survives_kill_9(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    server.client().set("book", "Emma")
    assert server.process
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert not server.answers()
    again = RedisServer(tmp_path)
    again.start()
    try:
        assert again.client().get("book") == b"Emma"
        assert again.client().config_get("port") == {"port": "0"}
    finally:
        again.stop()
    assert not again.answers()


def test_a_file_that_has_grown_large_is_written_anew(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        with server.client() as client:
            client.set("book", "Emma")
            server.compact()
            assert _file_bytes(client) < 1000  # small: it is left as it is
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


def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / ("e" * 120))
    assert server.socket == socket_path(server.folder)
    assert server.socket.parent != server.folder
    server.start()
    try:
        assert server.answers()
    finally:
        server.stop()


def test_what_it_writes_is_for_its_user_alone(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        for path in (server.socket, tmp_path / "appendonly.aof"):
            assert not path.stat().st_mode & 0o077
    finally:
        server.stop()
