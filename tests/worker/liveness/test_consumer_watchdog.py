"""Which worker is deaf, and which only seems to be: the watchdog over a real Redis, with the test's clock."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from cli.local_stack.data.redis_server import RedisServer
from tests.waiting import eventually
from worker.liveness.consumer_watchdog import ConsumerWatchdog

NAME = "ear"
DEAF_AFTER_S = 10.0


class Watched:
    """A watchdog that looks often, and what became of its process."""

    def __init__(self, url: str, *, is_busy: Callable[[], bool] = lambda: False) -> None:
        self.now = 0.0
        self.asked = 0
        self.ended: list[int] = []

        def busy() -> bool:
            self.asked += 1
            return is_busy()

        self.hearing = ConsumerWatchdog(
            url,
            name=NAME,
            timeout_s=DEAF_AFTER_S,
            is_busy=busy,
            interval_s=0.002,
            clock=lambda: self.now,
            exit_process=self.ended.append,
        )
        self.hearing.start()

    def let_pass(self, seconds: float) -> None:
        """Time goes by, and the watchdog has looked twice since."""
        self.now += seconds
        before = self.asked
        eventually(lambda: self.ended or self.asked >= before + 3, every_s=0.002)


@contextmanager
def watched(url: str, *, is_busy: Callable[[], bool] = lambda: False) -> Iterator[Watched]:
    found = Watched(url, is_busy=is_busy)
    try:
        yield found
    finally:
        found.hearing.stop()


@contextmanager
def listener(url: str) -> Iterator[None]:
    stop = threading.Event()

    def listen() -> None:
        with redis.Redis.from_url(url, client_name=NAME) as client:
            while not stop.is_set():
                client.brpop(["nothing"], timeout=0.2)

    thread = threading.Thread(target=listen)
    thread.start()
    with redis.Redis.from_url(url, decode_responses=True) as client:
        eventually(
            lambda: any(c["name"] == NAME and c["cmd"] == "brpop" for c in client.client_list())
        )
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_process_that_does_not_listen_ends(redis_url: str) -> None:
    with watched(redis_url) as process:
        process.let_pass(DEAF_AFTER_S - 1)
        assert not process.ended
        process.let_pass(2)
        eventually(lambda: process.ended == [70])


def test_a_process_that_listens_goes_on(redis_url: str) -> None:
    with listener(redis_url), watched(redis_url) as process:
        for _ in range(5):
            process.let_pass(DEAF_AFTER_S - 1)
        assert not process.ended


def test_a_process_whose_pool_is_busy_goes_on(redis_url: str) -> None:
    with watched(redis_url, is_busy=lambda: True) as process:
        for _ in range(5):
            process.let_pass(DEAF_AFTER_S - 1)
        assert not process.ended


def test_a_process_that_shuts_down_is_watched_no_longer(redis_url: str) -> None:
    with watched(redis_url) as process:
        process.let_pass(1)
        process.hearing.stop()
        eventually(lambda: not any(t.name == "hearing" for t in threading.enumerate()))
        assert not process.ended


def test_without_redis_no_process_is_deaf() -> None:
    with watched("redis://127.0.0.1:1/0") as process:
        for _ in range(5):
            process.let_pass(DEAF_AFTER_S - 1)
        assert not process.ended


def test_while_redis_loads_its_file_no_process_is_deaf(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(60_000):
            pipe.set("key", number)
        pipe.execute()
    server.stop()
    # A millisecond for each command; it lists its clients all the while.
    loading = subprocess.Popen([*server.command(), "--key-load-delay", "1000"])
    try:
        eventually(server.socket.exists)
        with watched(server.url) as process:
            for _ in range(3):
                process.let_pass(DEAF_AFTER_S - 1)
            assert not process.ended
        assert not server.answers()  # it loads still
    finally:
        loading.kill()
        loading.wait()


def test_a_redis_whose_memory_is_full_ends_no_process_that_listens(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        with server.client() as client:
            client.config_set("maxmemory", 1)
        with listener(server.url), watched(server.url) as process:
            for _ in range(3):
                process.let_pass(DEAF_AFTER_S - 1)
            assert not process.ended
    finally:
        server.stop()


def test_a_redis_that_does_not_list_its_clients_ends_no_process(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.acl_setuser(
            "shy", enabled=True, nopass=True, commands=["+@all", "-client"], keys="*"
        )
        try:
            with watched(redis_server.url.replace("unix://", "unix://shy:any@")) as process:
                eventually(lambda: "consumer_watchdog_disabled" in caplog.text)
                process.now += 100
            assert not process.ended
        finally:
            client.acl_deluser("shy")
