"""Who is deaf, and who only seems to be. Each listener is a process of its own, since a deaf one ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from cli.stack.redis_server import RedisServer

_LISTENER = """
import sys, threading, time, redis
from worker.hearing import Hearing
url, how = sys.argv[1:]
hearing = Hearing(url, name="ear", deaf_after_s=1.5, is_busy=lambda: how == "busy")
if how == "listens":
    def listen():
        client = redis.Redis.from_url(url, client_name="ear")
        while True:
            client.brpop("nothing", timeout=1)
    threading.Thread(target=listen, daemon=True).start()
hearing.start()
if how == "shuts down":
    hearing.stop()
time.sleep(6)
"""


def listener(url: str, how: str) -> int:
    """The exit status of a process that may go deaf within six seconds."""
    return subprocess.run(
        [sys.executable, "-c", _LISTENER, url, how], cwd=Path(__file__).parents[2], timeout=60
    ).returncode


def test_a_process_that_does_not_listen_ends(redis_url: str) -> None:
    assert listener(redis_url, "does nothing") == 70


@pytest.mark.parametrize("how", ["listens", "busy", "shuts down"])
def test_a_process_that_has_its_reasons_goes_on(redis_url: str, how: str) -> None:
    assert listener(redis_url, how) == 0


def test_without_redis_nobody_is_deaf() -> None:
    assert listener("redis://127.0.0.1:1/0", "does nothing") == 0


def test_while_redis_loads_its_file_nobody_is_deaf(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(10_000):
            pipe.set("key", number)
        pipe.execute()
    server.stop()
    # A millisecond for each command; it lists its clients all the while.
    loading = subprocess.Popen([*server.command(), "--key-load-delay", "1000"])
    try:
        assert listener(server.url, "does nothing") == 0
        assert not server.answers()  # it loads still
    finally:
        loading.kill()
        loading.wait()


def test_a_redis_that_does_not_tell_who_listens_ends_nobody(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.acl_setuser(
            "shy", enabled=True, nopass=True, commands=["+@all", "-client"], keys="*"
        )
        try:
            url = redis_server.url.replace("unix://", "unix://shy:any@")
            assert listener(url, "does nothing") == 0
        finally:
            client.acl_deluser("shy")
