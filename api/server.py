"""gunicorn around the app: one process with threads, which starts with clear errors and stops in bounded time."""

from __future__ import annotations

import logging
import os
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from api.http.access_log import ServerLog
from api.settings import ApiSettings

if TYPE_CHECKING:  # the parent process does not pay for Flask
    from api.jobs.recent_answers import RecentAnswers

log = logging.getLogger(__name__)

# After the connections are cut, their threads clean up and the process ends.
_CLEAN_UP_S = 5
# The arbiter ends a process that has been silent for a minute.
_NOTIFY_EVERY_S = 0.5
# As much of a waiting request as is looked at; those of clients that only look are far smaller.
_HEAD_BYTES = 4096
# How long a thread waits for its connection's next request before it serves others.
_LINGER_MS = 10


class CannotListen(Exception):
    """The address is taken, not ours to use, or unknown; the message says which setting to change."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, made before gunicorn starts so that failing is one sentence.

    Raises `CannotListen`.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotListen(
            f"SPINELABEL_API_HOST: {host!r} is no known address ({error.strerror})."
        ) from error
    try:
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise CannotListen(
            f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}. Stop the program that uses it, "
            "or set SPINELABEL_API_PORT (or SPINELABEL_API_HOST) to something else."
        ) from error


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threads, with an end to waiting for clients.

    gunicorn itself waits for ever for the rest of a request, so that a few stalled clients would hold
    all threads, and at a stop kills the process under uploads that are still under way.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connections: set[Any] = set()
        # Its `question`: the request that this thread answers, if it is one that may be repeated.
        self._asked = threading.local()
        self._notify_at = 0.0  # monotonic

    def notify(self) -> None:
        """Tell the arbiter that this process is alive: not at every event, since each time touches a file."""
        now = time.monotonic()
        if now >= self._notify_at:
            self._notify_at = now + _NOTIFY_EVERY_S
            super().notify()

    def handle(self, conn: Any) -> Any:
        """Serve a request of a connection, and those that follow closely; headers have to arrive within the stall limit."""
        wait = struct.pack("ll", max(1, int(self.app.settings.api_stall_s)), 0)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)
        self._connections.add(conn)
        try:
            go_on = self._answer(conn)
            while go_on is True and self._asks_again(conn):
                go_on = self._answer(conn)
            return go_on
        finally:
            self._connections.discard(conn)

    def _answer(self, conn: Any) -> Any:
        """Answer the connection's next request: if it was answered a moment ago, before gunicorn has parsed it."""
        self._asked.question = question = self._look_ahead(conn)
        # What gunicorn has not prepared yet, it wants to see first.
        if conn.initialized and (answer := self._recent_answer(question)) is not None:
            conn.sock.settimeout(self.app.settings.api_stall_s)
            try:
                conn.sock.recv(len(question or b""))
                conn.sock.sendall(answer)
            except OSError:  # it is gone
                return False
            return True
        return super().handle(conn)

    def _look_ahead(self, conn: Any) -> bytes | None:
        """The next request as it came and waits, if it is a whole one without a body."""
        if self.app.recent_answers is None or conn.is_http2 or _read_ahead(conn):
            return None
        try:
            waiting = bytes(conn.sock.recv(_HEAD_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return None
        return waiting if waiting.find(b"\r\n\r\n") == len(waiting) - 4 else None

    def _recent_answer(self, question: bytes | None) -> bytes | None:
        recent: RecentAnswers | None = self.app.recent_answers
        if recent is None or question is None or not self.alive:
            return None
        return recent.find(question)

    def _asks_again(self, conn: Any) -> bool:
        """Whether the next request of this connection comes at once.

        A way through the main thread and back takes several times as long as answering a look at a job, so whoever asks
        a hundred times a second keeps their thread, as long as half of the threads are free for others.
        """
        if not self.alive or len(self._connections) > self.cfg.threads // 2:
            return False
        if _read_ahead(conn):
            return True
        soon = select.poll()
        soon.register(conn.sock, select.POLLIN)
        return bool(soon.poll(_LINGER_MS))

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer one request; the stall limit holds for each read of its body and write of the answer."""
        conn.sock.settimeout(self.app.settings.api_stall_s)
        if (answer := self._recent_answer(self._asked.question)) is not None:
            conn.sock.sendall(answer)
            return True
        return super().handle_request(req, conn)

    def remember_answer(self, req: Any, environ: dict[str, Any], response: Any) -> None:
        """What gunicorn has just sent may answer the same question a moment later."""
        recent: RecentAnswers | None = self.app.recent_answers
        question: bytes | None = self._asked.question
        if recent is not None and question is not None and response is not None:
            recent.note(question, req, environ, response)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Tell a client that its request cannot be parsed, as a problem like any other; the rest is gunicorn's."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        from api.http.unreadable import unreadable_answer

        log.warning("unreadable request from %s: %s", (addr or ("-",))[0], exc)
        with suppress(OSError):  # it may be gone
            client.sendall(unreadable_answer(exc))

    def handle_exit(self, sig: Any, frame: Any) -> None:
        """SIGTERM: finish what is under way, but cut it off after the time that the settings allow."""
        super().handle_exit(sig, frame)
        timer = threading.Timer(self.app.settings.api_stop_s, self._cut_connections)
        timer.daemon = True
        timer.start()

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """SIGINT and SIGQUIT: at once."""
        self._cut_connections()
        super().handle_quit(sig, frame)

    def _cut_connections(self) -> None:
        """Make every waiting read and write fail, so that each request cleans up after itself."""
        for conn in tuple(self._connections):
            try:
                conn.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has just ended by itself


def _read_ahead(conn: Any) -> bool:
    """Whether gunicorn has read more from the connection than the requests that it has parsed."""
    return conn.initialized and bool(conn.parser.unreader.buf.getvalue())


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """The arbiter and its one worker process; everything that connects is made after the fork."""

    def __init__(self, settings: ApiSettings, listener: socket.socket) -> None:
        self.settings = settings
        self._listener = listener
        self.recent_answers: RecentAnswers | None = None
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
            "worker_class": PatientWorker,
            "threads": self.settings.api_threads,
            "keepalive": 15,
            "limit_request_line": 8190,  # a callback and a file's name may be long
            "timeout": 60,
            "graceful_timeout": self.settings.api_stop_s + _CLEAN_UP_S,
            "logger_class": ServerLog,
            "accesslog": "-",
            "proc_name": "spinelabel-api",
            "control_socket_disable": True,
            "post_request": PatientWorker.remember_answer,
            "when_ready": lambda _arbiter: log.info("listening on %s; %s", url, keys),
            "on_exit": lambda _arbiter: log.info("stopped"),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The WSGI app. gunicorn calls this in the child process, which alone pays for what is imported here."""
        from api.app import RECENT_ANSWERS, create_app
        from api.services import connect

        app = create_app(self.settings, connect(self.settings))
        self.recent_answers = app.extensions.get(RECENT_ANSWERS)
        return app
