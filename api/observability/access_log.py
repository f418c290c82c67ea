"""gunicorn's access and error log, in the same stream and format as all other logs."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from typing import Any

import structlog
from gunicorn.glogging import Logger

from api.http.logged_requests import client_ip, logged_url
from api.jobs.job_ids import JOB_ID_KEY

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

_access = structlog.get_logger("api.access")


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn ships no types
    """Logs requests as events, and passes gunicorn's error log to the root logger."""

    def setup(self, cfg: Any) -> None:
        """gunicorn calls this at the start and after each reload."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Log a request. Successful probes are not logged."""
        del req  # the environ has all values
        status = int(str(resp.status).partition(" ")[0])
        if environ["PATH_INFO"] in _PROBES and status == 200:
            return
        job_id = environ.get(JOB_ID_KEY)
        _access.info(
            "request",
            client_ip=client_ip(environ),
            method=environ["REQUEST_METHOD"],
            url=logged_url(environ),
            status=status,
            sent_bytes=resp.sent,
            duration_ms=round(request_time / timedelta(milliseconds=1)),
            **({"job_id": job_id} if job_id else {}),
        )

    def unparsed(self, address: Any, status: int, size: int, error: Exception) -> None:
        """Log a request that was answered without being parsed."""
        _access.info(
            "unparsed_request",
            client_ip=address[0] if isinstance(address, tuple) and address else None,
            status=status,
            sent_bytes=size,
            error=error,
        )

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log an error, without a traceback if the client has stalled."""
        if isinstance(sys.exc_info()[1], TimeoutError | BlockingIOError):
            _access.info("stalled_client_disconnected")
            return
        super().exception(msg, *args, **kwargs)
