"""gunicorn around the app: one process with threads, which starts with clear errors and stops in bounded time."""

from __future__ import annotations

import logging
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from api.observability.access_log import ServerLog
from api.server.worker import DeadlineWorker
from api.settings import ApiSettings

log = logging.getLogger(__name__)

# After the connections are cut, their threads clean up and the process ends.
_CLEAN_UP_S = 5
# With files and connections to Redis below the 1,024 descriptors that many systems allow a process.
_CONNECTIONS = 600


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """The arbiter and its one worker process; everything that connects is made after the fork."""

    def __init__(self, settings: ApiSettings, listener: socket.socket) -> None:
        self.settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        """gunicorn calls this to be told its configuration."""
        host, port = self._listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        keys = (
            "every request needs a key, which `python -m api.keys create --owner NAME` makes"
            if self.settings.keys_required
            else "only this machine can connect, so nobody is asked for a key"
        )
        options = {
            "bind": f"fd://{self._listener.detach()}",
            # docs/decisions/0024 says what counts on there being one.
            "workers": 1,
            "worker_class": DeadlineWorker,
            "worker_connections": _CONNECTIONS,
            "threads": self.settings.api_threads,
            "keepalive": 15,
            "limit_request_line": 8190,  # a webhook URL and a file name may be long
            "sendfile": False,  # it would pass over the minimum rate
            "timeout": 60,
            "graceful_timeout": self.settings.api_shutdown_timeout_s + _CLEAN_UP_S,
            "logger_class": ServerLog,
            "accesslog": "-",
            "proc_name": "spinelabel-api",
            "control_socket_disable": True,
            "when_ready": lambda _arbiter: log.info("listening on %s; %s", url, keys),
            "on_exit": lambda _arbiter: log.info("stopped"),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI app. gunicorn calls this in the child process, which alone pays for what is imported here."""
        from api.app import create_app
        from api.dependencies import connect

        return create_app(self.settings, connect(self.settings))
