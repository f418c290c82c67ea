"""Payload of the webhook for an ended job, signed after the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from jobs.job import Job


def message_id(job: Job) -> str:
    """The id of the message, equal for all attempts, so that receivers can detect repetitions."""
    return f"msg_{job.id}"


def webhook_payload(job: Job) -> bytes:
    """The message as JSON: how the job ended, and links. The same bytes for all attempts."""
    counts = job.row_counts
    self = f"/v1/jobs/{job.id}"
    document = {
        "type": f"job.{job.state.value}",
        "timestamp": _timestamp(job.state_times[job.state]),
        "data": {
            "id": job.id,
            "state": job.state.value,
            "filename": job.filename,
            "row_counts": {
                "total": counts.total,
                "labelled": counts.labelled,
                "failed": counts.failed,
                "pending": counts.pending,
            },
            "model_version": job.model_version,
            "error": (
                {"code": job.failure.code, "message": job.failure.message} if job.failure else None
            ),
            "links": {"self": self, "result": f"{self}/result", "errors": f"{self}/errors"},
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def signed_headers(message: str, body: bytes, *, secrets: Sequence[str], at: int) -> dict[str, str]:
    """The headers of an attempt at Unix second `at`, with a signature for each secret."""
    content = f"{message}.{at}.".encode() + body
    signatures = [
        base64.b64encode(hmac.digest(_decode(secret), content, hashlib.sha256)).decode("ascii")
        for secret in secrets
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Spinelabel-Webhooks",
        "webhook-id": message,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _decode(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def _timestamp(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
