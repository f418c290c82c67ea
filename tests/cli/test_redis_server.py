"""The private Redis: on a socket of its own, and durable."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import redis

from cli.stack.redis_server import RedisServer, socket_path


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
            deadline = time.monotonic() + 30
            while _file_bytes(client) > 2 * 2**20:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert client.get("book") == b"x" * 2**20
    finally:
        server.stop()


def _file_bytes(client: redis.Redis) -> int:
    return int(client.info("persistence")["aof_current_size"])


def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("é" * 60)  # 60 characters, but twice as many bytes
    server = RedisServer(deep)
    assert len(os.fsencode(server.socket)) <= 100
    assert server.socket != deep / "redis.sock"
    assert server.socket != socket_path(tmp_path / ("e" * 120))
    server.start()
    try:
        assert server.answers()
    finally:
        server.stop()
