"""Ends this worker when it has gone deaf: alive, but no longer listening for messages, as after some losses of the broker.

Asked is Redis: does it hold a connection of this very process that waits for messages? Nothing inside the process knows
better, since what is broken then is what would have to tell. Whoever keeps the worker running starts it again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

import redis

log = logging.getLogger(__name__)

# A wait for messages lasts a second and is then begun again.
_FRESH_S = 2
_LOOK_EVERY_S = 1.0
# As a program ends that cannot go on (EX_SOFTWARE).
_EXIT_STATUS = 70


def connection_name() -> str:
    """What this process's connections to the broker are called."""
    return f"spinelabel-worker-{os.uname().nodename}-{os.getpid()}"


class Hearing:
    """Watches from a thread of the worker's main process."""

    def __init__(
        self, redis_url: str, *, name: str, deaf_after_s: float, is_busy: Callable[[], bool]
    ) -> None:
        """Connects on first use.

        Args:
            name: of the broker's connections.
            deaf_after_s: as long as it may neither listen nor be busy.
            is_busy: whether all of the pool is at work, so that there is no use in listening.
        """
        self._redis = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=5)
        self._name = name
        self._deaf_after_s = deaf_after_s
        self._is_busy = is_busy
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch until `stop`."""
        threading.Thread(target=self._watch, name="hearing", daemon=True).start()

    def stop(self) -> None:
        """Nothing has to be heard any more: the worker is shutting down."""
        self._stopped.set()

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._stopped.wait(_LOOK_EVERY_S):
            try:
                heard = self._is_busy() or self._listens()
            except redis.ResponseError as error:  # a Redis that does not let its clients be listed
                log.warning("nobody watches whether this worker hears: %s", error)
                return
            except redis.RedisError:
                heard = True  # nobody can listen now, and nobody can tell
            if heard:
                last = time.monotonic()
            elif time.monotonic() - last > self._deaf_after_s:
                log.critical(
                    "deaf: this worker has not listened for messages for %.0f s; it ends, to be started again",
                    self._deaf_after_s,
                )
                logging.shutdown()
                # Not sys.exit: what would have to stop in good order is what is stuck.
                os._exit(_EXIT_STATUS)

    def _listens(self) -> bool:
        self._redis.ping()  # refused by a Redis that loads its file, which would list its clients all the same
        return any(
            client["name"] == self._name
            and client["cmd"] == "brpop"
            and int(client["idle"]) <= _FRESH_S
            for client in self._redis.client_list()
        )
