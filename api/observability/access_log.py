"""gunicorn's access and error log, in the same stream and format as all other logs."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from api.http.logged_requests import client_address, logged_address
from api.jobs.job_ids import JOB_ID_KEY

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

_access = logging.getLogger("api.access")


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Hands gunicorn's lines to the root logger; says nothing about probes that are content."""

    def setup(self, cfg: Any) -> None:
        """gunicorn calls this at the start and after each reload."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One line per request: who, what, status, bytes sent, milliseconds, and the new job's id."""
        del req  # the environ holds all that is wanted of it
        status = str(resp.status).partition(" ")[0]
        if environ["PATH_INFO"] in _PROBES and status == "200":
            return
        job_id = environ.get(JOB_ID_KEY)
        _access.info(
            "%s %s %s %s %s B %d ms%s",
            client_address(environ) or "-",
            environ["REQUEST_METHOD"],
            logged_address(environ),
            status,
            resp.sent,
            request_time / timedelta(milliseconds=1),
            f" {job_id}" if job_id else "",
        )

    def unparsed(self, address: Any, status: int, size: int, error: Exception) -> None:
        """The line of a request that was answered without being parsed."""
        host = address[0] if isinstance(address, tuple) and address else "-"
        reason = str(error).encode("unicode_escape").decode("ascii")
        _access.info("%s - - %d %d B: %s", host, status, size, reason)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A stalled client is the client's affair, not an error with a traceback."""
        if isinstance(sys.exc_info()[1], TimeoutError | BlockingIOError):
            _access.info("cut off a client that had stalled")
            return
        super().exception(msg, *args, **kwargs)
