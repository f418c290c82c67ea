"""Watchdog: exits the worker when its consumer has stopped reading from the broker.

After some losses of the broker a Celery worker stays alive without consuming. The process cannot
detect this itself, so the watchdog asks Redis (CLIENT LIST) whether a connection of this process is
waiting for messages. The supervisor starts the worker again.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

import redis
import structlog

from jobs.outage import is_outage

log = structlog.get_logger(__name__)

# The consumer's BRPOP blocks for one second at a time.
_MAX_IDLE_S = 2
_INTERVAL_S = 1.0
# EX_SOFTWARE
_EXIT_STATUS = 70


def broker_connection_name() -> str:
    """Return the client name of this process's broker connections."""
    return f"spinelabel-worker-{os.uname().nodename}-{os.getpid()}"


class ConsumerWatchdog:
    """Runs in a thread of the worker's main process."""

    def __init__(
        self,
        redis_url: str,
        *,
        name: str,
        timeout_s: float,
        is_busy: Callable[[], bool],
        interval_s: float = _INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
        exit_process: Callable[[int], object] = os._exit,
    ) -> None:
        """Connects on first use.

        Args:
            name: client name of the broker connections.
            timeout_s: how long the worker may be neither consuming nor busy, in seconds.
            is_busy: whether the whole pool is at work, so that the consumer need not read.
            interval_s: seconds between two checks.
            clock: monotonic seconds.
            exit_process: exits with a status, without cleaning up.
        """
        self._redis = redis.Redis.from_url(redis_url, decode_responses=True, socket_timeout=5)
        self._name = name
        self._timeout_s = timeout_s
        self._is_busy = is_busy
        self._interval_s = interval_s
        self._clock = clock
        self._exit_process = exit_process
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start watching; runs until `stop`."""
        threading.Thread(target=self._watch, name="consumer-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching, because the worker is shutting down."""
        self._stopped.set()

    def _watch(self) -> None:
        last_alive = self._clock()
        while not self._stopped.wait(self._interval_s):
            try:
                is_alive = self._is_busy() or self._is_consuming()
            except redis.ResponseError as error:
                if is_outage(error):
                    last_alive = self._clock()
                    continue
                # This Redis does not permit CLIENT LIST.
                log.warning("consumer_watchdog_disabled", error=error)
                return
            except redis.RedisError:
                is_alive = True  # no worker can consume now
            if is_alive:
                last_alive = self._clock()
            elif self._clock() - last_alive > self._timeout_s:
                log.critical(
                    "consumer_stopped", timeout_s=self._timeout_s, consequence="worker exits"
                )
                logging.shutdown()
                # Not sys.exit: an orderly shutdown would wait for the consumer that is stuck.
                self._exit_process(_EXIT_STATUS)
                return

    def _is_consuming(self) -> bool:
        self._redis.ping()  # fails while Redis loads its file; CLIENT LIST would not
        return any(
            client["name"] == self._name
            and client["cmd"] == "brpop"
            and int(client["idle"]) <= _MAX_IDLE_S
            for client in self._redis.client_list()
        )
