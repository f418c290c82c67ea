"""How the adapters reach Redis: the options of their clients, and the scripts in `redis_scripts`."""

from __future__ import annotations

from importlib import resources

import redis
from redis.commands.core import Script

_FOLDER = resources.files("jobs") / "redis_scripts"


def connect(url: str) -> redis.Redis:
    """A client that connects on first use, and whose replies are texts.

    It repeats nothing by itself (decision 0034). Read with scripts or plain pipelines: a Redis whose memory is full refuses
    every command within MULTI, reading ones too.
    """
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=10, health_check_interval=30
    )


def load_script(client: redis.Redis, *names: str) -> Script:
    """The scripts of these names as one; functions of the first ones are known in the last. Sends nothing yet."""
    text = "\n".join((_FOLDER / f"{name}.lua").read_text("utf-8") for name in names)
    return client.register_script(text)
