"""How the adapters reach Redis: the options of their clients, and the scripts in `scripts/`."""

from __future__ import annotations

import socket
from importlib import resources
from typing import Any

import redis
from redis.commands.core import Script

# The kernel notices a connection whose other end is gone after half a minute.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
_FOLDER = resources.files("jobs.redis") / "scripts"


def connect(url: str) -> redis.Redis:
    """A client that connects on first use, and whose replies are texts.

    It repeats nothing by itself (decision 0034). Read with scripts or plain pipelines: a Redis whose memory is full refuses
    every command within MULTI, reading ones too.
    """
    # No health check by PING: Redis refuses that as well while its disk is full, and every read would with it.
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
    """The scripts of these names as one; functions of the first ones are known in the last. Sends nothing yet."""
    text = "\n".join((_FOLDER / f"{name}.lua").read_text("utf-8") for name in names)
    return client.register_script(text)
