"""The watchdog exits a worker that has stopped consuming; the clock is injected."""

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

NAME = "consumer"
TIMEOUT_S = 10.0


class WatchedProcess:
    """A watchdog with a short interval, and the exit statuses that it chose."""

    def __init__(self, url: str, *, is_busy: Callable[[], bool] = lambda: False) -> None:
        self.now = 0.0
        self.checks = 0
        self.exits: list[int] = []

        def busy() -> bool:
            self.checks += 1
            return is_busy()

        self.watchdog = ConsumerWatchdog(
            url,
            name=NAME,
            timeout_s=TIMEOUT_S,
            is_busy=busy,
            interval_s=0.002,
            clock=lambda: self.now,
            exit_process=self.exits.append,
        )
        self.watchdog.start()

    def advance(self, seconds: float) -> None:
        """Advance the clock and wait for two whole checks."""
        self.now += seconds
        before = self.checks
        eventually(lambda: self.exits or self.checks >= before + 3, every_s=0.002)


@contextmanager
def watched(url: str, *, is_busy: Callable[[], bool] = lambda: False) -> Iterator[WatchedProcess]:
    process = WatchedProcess(url, is_busy=is_busy)
    try:
        yield process
    finally:
        process.watchdog.stop()


@contextmanager
def consumer(url: str) -> Iterator[None]:
    stop = threading.Event()

    def consume() -> None:
        with redis.Redis.from_url(url, client_name=NAME) as client:
            while not stop.is_set():
                client.brpop(["nothing"], timeout=0.2)

    thread = threading.Thread(target=consume)
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


def test_a_process_that_does_not_consume_exits(redis_url: str) -> None:
    with watched(redis_url) as process:
        process.advance(TIMEOUT_S - 1)
        assert not process.exits
        process.advance(2)
        eventually(lambda: process.exits == [70])


def test_a_process_that_consumes_keeps_running(redis_url: str) -> None:
    with consumer(redis_url), watched(redis_url) as process:
        for _ in range(5):
            process.advance(TIMEOUT_S - 1)
        assert not process.exits


def test_a_process_whose_pool_is_busy_keeps_running(redis_url: str) -> None:
    with watched(redis_url, is_busy=lambda: True) as process:
        for _ in range(5):
            process.advance(TIMEOUT_S - 1)
        assert not process.exits


def test_stopping_the_watchdog_ends_its_thread(redis_url: str) -> None:
    with watched(redis_url) as process:
        process.advance(1)
        process.watchdog.stop()
        eventually(lambda: not any(t.name == "consumer-watchdog" for t in threading.enumerate()))
        assert not process.exits


def test_an_unreachable_redis_exits_no_process() -> None:
    with watched("redis://127.0.0.1:1/0") as process:
        for _ in range(5):
            process.advance(TIMEOUT_S - 1)
        assert not process.exits


def test_a_redis_that_is_loading_its_data_exits_no_process(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    with server.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(60_000):
            pipe.set("key", number)
        pipe.execute()
    server.stop()
    # A millisecond per command; CLIENT LIST is answered meanwhile.
    loading = subprocess.Popen([*server.command(), "--key-load-delay", "1000"])
    try:
        eventually(server.socket.exists)
        with watched(server.url) as process:
            for _ in range(3):
                process.advance(TIMEOUT_S - 1)
            assert not process.exits
        assert not server.answers()  # still loading
    finally:
        loading.kill()
        loading.wait()


def test_a_full_redis_exits_no_process_that_consumes(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        with server.client() as client:
            client.config_set("maxmemory", 1)
        with consumer(server.url), watched(server.url) as process:
            for _ in range(3):
                process.advance(TIMEOUT_S - 1)
            assert not process.exits
    finally:
        server.stop()


def test_a_redis_without_client_list_disables_the_watchdog(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.acl_setuser(
            "restricted", enabled=True, nopass=True, commands=["+@all", "-client"], keys="*"
        )
        try:
            with watched(redis_server.url.replace("unix://", "unix://restricted:any@")) as process:
                eventually(lambda: "consumer_watchdog_disabled" in caplog.text)
                process.now += 100
            assert not process.exits
        finally:
            client.acl_deluser("restricted")
