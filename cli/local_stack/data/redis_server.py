"""The private Redis server of a local stack."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from . import sockets
from .redis_binary import RedisUnavailable, find_redis_binary

START_SECONDS = 60.0
# Redis's own default for `auto-aof-rewrite-min-size`.
_LARGE_FILE_BYTES = 64 * 2**20


def socket_path(folder: Path) -> Path:
    """Return the socket path of the Redis that serves `folder`.

    Raises `StackFailed`, see `sockets`.
    """
    return sockets.socket_path(folder, "redis.sock")


class RedisServer:
    """Redis on a private Unix socket (no TCP port), append-only file on, data in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.socket = socket_path(self.folder)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for `SPINELABEL_REDIS_URL`."""
        return f"unix://{self.socket}"

    def command(self) -> list[str]:
        """The command line that serves this folder. Raises `RedisUnavailable`."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
            "daemonize": "no",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [find_redis_binary(), *flags]

    def client(self) -> redis.Redis:
        """A connection to this server."""
        return redis.Redis(unix_socket_path=str(self.socket))

    def answers(self) -> bool:
        """Whether the server accepts commands; false while it loads its file.

        Takes at most two seconds.
        """
        # The client's default retries would take seconds.
        once = Retry(NoBackoff(), 0)
        with redis.Redis(unix_socket_path=str(self.socket), retry=once, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    def compact(self) -> None:
        """Rewrite a large append-only file in the background, because each start reads all of it.

        Redis before 7 compares with the size at its start, so with frequent restarts it never
        rewrites.
        """
        with contextlib.suppress(redis.RedisError), self.client() as client:
            if client.info("persistence")["aof_current_size"] > _LARGE_FILE_BYTES:
                client.bgrewriteaof()

    def start(self) -> None:
        """Start and wait until it answers. Raises `RedisUnavailable`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = self.folder / "redis.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdout=output, stderr=output, umask=0o077
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
                raise RedisUnavailable(f"Redis did not start; its log is {log}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server this object started, and wait for it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=START_SECONDS)
            self.process = None
