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

from jobs.redis.outage import is_outage

log = logging.getLogger(__name__)

# A wait for messages lasts a second and is then begun again.
_FRESH_S = 2
_LOOK_EVERY_S = 1.0
# As a program ends that cannot go on (EX_SOFTWARE).
_EXIT_STATUS = 70


def broker_connection_name() -> str:
    """What this process's connections to the broker are called."""
    return f"spinelabel-worker-{os.uname().nodename}-{os.getpid()}"


class ConsumerWatchdog:
    """Watches from a thread of the worker's main process."""

    def __init__(
        self,
        redis_url: str,
        *,
        name: str,
        deaf_after_s: float,
        is_busy: Callable[[], bool],
        look_every_s: float = _LOOK_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """Connects on first use.

        Args:
            name: of the broker's connections.
            deaf_after_s: as long as it may neither listen nor be busy.
            is_busy: whether all of the pool is at work, so that there is no use in listening.
            look_every_s: seconds between two questions to Redis.
            clock: seconds that never go back.
            end: ends the process with an exit status.
        """
        self._redis = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=5)
        self._name = name
        self._deaf_after_s = deaf_after_s
        self._is_busy = is_busy
        self._look_every_s = look_every_s
        self._clock = clock
        self._end = end
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch until `stop`."""
        threading.Thread(target=self._watch, name="hearing", daemon=True).start()

    def stop(self) -> None:
        """Nothing has to be heard any more: the worker is shutting down."""
        self._stopped.set()

    def _watch(self) -> None:
        last = self._clock()
        while not self._stopped.wait(self._look_every_s):
            try:
                heard = self._is_busy() or self._listens()
            except redis.ResponseError as error:
                if is_outage(error):
                    last = self._clock()
                    continue
                # A Redis that does not let its clients be listed.
                log.warning("whether this worker listens is not watched: %s", error)
                return
            except redis.RedisError:
                heard = True  # no worker can listen now
            if heard:
                last = self._clock()
            elif self._clock() - last > self._deaf_after_s:
                log.critical(
                    "deaf: this worker has not listened for messages for %.0f s; it ends, to be started again",
                    self._deaf_after_s,
                )
                logging.shutdown()
                # Not sys.exit: what would have to stop in good order is what is stuck.
                self._end(_EXIT_STATUS)
                return

    def _listens(self) -> bool:
        self._redis.ping()  # refused by a Redis that loads its file, which would list its clients all the same
        return any(
            client["name"] == self._name
            and client["cmd"] == "brpop"
            and int(client["idle"]) <= _FRESH_S
            for client in self._redis.client_list()
        )
