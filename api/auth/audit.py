"""Audit log: one JSON line per access to a catalogue or refusal, without secrets."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Flask, Response, request

from api.auth.caller import caller_or_none
from api.http.logged_requests import client_ip, logged_path, peer_ip
from api.jobs.job_ids import JOB_ID_KEY
from jobs.logs.masking import mask_secrets

_audit = logging.getLogger("api.audit")

EVENTS: Mapping[tuple[str, str], str] = {
    ("POST", "jobs.submit_job"): "submission",
    ("GET", "results.get_result"): "download",
    ("GET", "results.get_errors"): "download",
    ("GET", "review.get_corrections"): "download",
    # A whole result can be read page by page.
    ("GET", "review.list_rows"): "reading",
    ("GET", "review.list_latest_rows"): "reading",
    # Webhook URLs may contain tokens, and the secret can sign as this server.
    ("GET", "webhooks.list_deliveries"): "reading of deliveries",
    ("GET", "webhooks.show_secret"): "reading of the webhook secret",
    ("PUT", "review.put_correction"): "correction",
    ("DELETE", "review.delete_correction"): "correction",
    ("POST", "jobs.cancel_job"): "cancellation",
    ("DELETE", "jobs.delete_job"): "deletion",
    ("POST", "webhooks.rotate_secret"): "new webhook secret",
    ("POST", "session.begin_session"): "sign-in",
}
# Without 404, which jobs of other owners share with jobs that do not exist.
REFUSALS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "key refused",
    HTTPStatus.FORBIDDEN: "request refused",
    HTTPStatus.MISDIRECTED_REQUEST: "request refused",
    HTTPStatus.TOO_MANY_REQUESTS: "limit reached",
}


def register_audit(app: Flask) -> None:
    """Write an audit line after every audited response."""

    @app.after_request
    def write(response: Response) -> Response:
        event = REFUSALS.get(response.status_code)
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            event = EVENTS.get((request.method, request.endpoint or ""))
        if event is not None:
            _audit.info("%s", _line(event, response))
        return response


def write_audit_to_stderr() -> None:
    """Send the audit log to stderr, one JSON object per line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    _audit.addHandler(handler)
    _audit.propagate = False
    _audit.setLevel(logging.INFO)


def _line(event: str, response: Response) -> str:
    caller = caller_or_none()
    job_id = (request.view_args or {}).get("job_id") or request.environ.get(JOB_ID_KEY)
    return json.dumps(
        {
            "audit": event,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "owner": caller.owner if caller else None,
            "key_id": caller.key_id if caller else None,
            "client_ip": client_ip(request.environ),
            "peer_ip": peer_ip(request.environ),
            "job_id": mask_secrets(job_id) if job_id else None,
            "request": f"{request.method} {logged_path(request.environ)}",
            "status": response.status_code,
        }
    )
