"""One line for each thing that somebody did with a catalogue: JSON, and nothing in it is secret."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Flask, Response, request

from api.callers.callers import known_caller
from api.jobs.job_ids import JOB_ID_KEY

_audit = logging.getLogger("api.audit")

EVENTS: Mapping[tuple[str, str], str] = {
    ("POST", "jobs.submit_job"): "submission",
    ("GET", "results.get_result"): "download",
    ("GET", "results.get_errors"): "download",
    ("GET", "review.get_corrections"): "download",
    # Page by page, a whole result can be read as well.
    ("GET", "review.list_rows"): "reading",
    ("PUT", "review.put_correction"): "correction",
    ("DELETE", "review.delete_correction"): "correction",
    ("POST", "jobs.cancel_job"): "cancellation",
    ("DELETE", "jobs.delete_job"): "deletion",
    ("POST", "callbacks.renew_secret"): "new callback secret",
    ("POST", "session.begin_session"): "sign-in",
}


def register_audit(app: Flask) -> None:
    """Write the line once the answer is known; of what was refused, only that a key was."""

    @app.after_request
    def write(response: Response) -> Response:
        event = EVENTS.get((request.method, request.endpoint or ""))
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            event = "key refused"
        elif response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            event = None
        if event is not None:
            _audit.info("%s", _line(event, response))
        return response


def write_audit_to_stderr() -> None:
    """Each line is one JSON object, without what other log lines begin with."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _audit.addHandler(handler)
    _audit.propagate = False
    _audit.setLevel(logging.INFO)


def _line(event: str, response: Response) -> str:
    who = known_caller()
    return json.dumps(
        {
            "audit": event,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "owner": who.owner if who else None,
            "key": who.key_id if who else None,
            "from": request.remote_addr,
            "job": (request.view_args or {}).get("job_id") or request.environ.get(JOB_ID_KEY),
            "what": f"{request.method} {request.path}",
            "status": response.status_code,
        }
    )
