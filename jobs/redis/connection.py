"""The Redis client that a process shares among its adapters, and the loader of `scripts/`."""

from __future__ import annotations

import socket
from importlib import resources
from typing import Any

import redis
from redis.commands.core import Script

from jobs.errors import JobNotFound

# The kernel closes a connection whose peer has been silent for half a minute.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_FOLDER = resources.files("jobs.redis") / "scripts"


def redis_client(url: str) -> redis.Redis:
    """A client for all adapters of a process. Connects on first use; replies are strings.

    It does not retry (decision 0034). Read with scripts or plain pipelines: a Redis whose memory is
    full refuses every command inside MULTI, even reads.
    """
    # No health check by PING: Redis refuses it while its disk is full, and every read would fail.
    return redis.Redis.from_url(url, decode_responses=True, socket_timeout=10, **_keepalive(url))


def _keepalive(url: str) -> dict[str, Any]:
    if url.startswith("unix://"):
        return {}
    options = {
        getattr(socket, name): seconds
        for name, seconds in _KEEPALIVE.items()
        if hasattr(socket, name)
    }
    return {"socket_keepalive": True, "socket_keepalive_options": options}


def load_script(client: redis.Redis, *names: str) -> Script:
    """The named scripts as one: the last may call functions of the others. Sends nothing."""
    text = "\n".join((_FOLDER / f"{name}.lua").read_text("utf-8") for name in names)
    return client.register_script(text)


def run_for_job(script: Script, job_id: str, keys: list[str], args: list[Any]) -> Any:
    """Run a script about one job. Raises `JobNotFound` where the script replies NOJOB."""
    try:
        return script(keys=keys, args=args)
    except redis.ResponseError as error:
        if "NOJOB" in str(error):
            raise JobNotFound(job_id) from None
        raise
