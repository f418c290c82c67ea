"""gunicorn configuration: one worker process with threads, and a bounded shutdown."""

from __future__ import annotations

import socket
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication

from api.observability.access_log import ServerLog
from api.server.worker import DeadlineWorker
from api.settings import ApiSettings

log = structlog.get_logger(__name__)

# Time for threads to clean up after connections were closed.
_CLEANUP_S = 5
# With files and Redis connections, below the common limit of 1,024 file descriptors.
_MAX_CONNECTIONS = 600


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """The arbiter and its worker process. Connections are opened after the fork."""

    def __init__(self, settings: ApiSettings, listener: socket.socket) -> None:
        self.settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        """Set the configuration. Called by gunicorn."""
        host, port = self._listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        keys = (
            "required; `python -m api.keys create --owner NAME` creates one"
            if self.settings.keys_required
            else "not required, because only this machine can connect"
        )
        options = {
            "bind": f"fd://{self._listener.detach()}",
            # docs/decisions/0024 lists what depends on a single process.
            "workers": 1,
            "worker_class": DeadlineWorker,
            "worker_connections": _MAX_CONNECTIONS,
            "threads": self.settings.api_threads,
            "keepalive": 15,
            "limit_request_line": 8190,  # a webhook URL and a file name may be long
            "sendfile": False,  # it would bypass the minimum rate
            "timeout": 60,
            "graceful_timeout": self.settings.api_shutdown_timeout_s + _CLEANUP_S,
            "logger_class": ServerLog,
            "accesslog": "-",
            "proc_name": "spinelabel-api",
            "control_socket_disable": True,
            "when_ready": lambda _arbiter: log.info("listening", url=url, api_keys=keys),
            "on_exit": lambda _arbiter: log.info("stopped"),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Create the WSGI app.

        Called by gunicorn in the child, so only the child imports the app.
        """
        from api.app import create_app
        from api.dependencies import connect

        return create_app(self.settings, connect(self.settings))
