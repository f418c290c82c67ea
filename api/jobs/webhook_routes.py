"""`/v1/jobs/{id}/deliveries` and `/v1/webhook-secret`: webhook deliveries and signing secrets."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from api.auth.caller import caller
from api.http.openapi_responses import problems
from api.http.parameters import JobPath
from api.jobs.schemas import Timestamp, as_json, timestamp
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import WEBHOOKS, described_routes
from jobs.job import Job
from jobs.ports.webhooks import DeliveryLog, Outcome, WebhookStore

_OLD_SECRET_S = 24 * 3600.0


class AttemptDocument(BaseModel):
    """One delivery attempt."""

    number: int = Field(
        description="Counts from 1; a missing number is an attempt that was interrupted."
    )
    at: Timestamp
    seconds: float
    status: int | None = Field(
        description="HTTP status of the receiver's response; null if there was none."
    )
    outcome: Outcome = Field(description="`refused`: the URL is not allowed.")
    detail: str


class DeliveriesDocument(BaseModel):
    """The delivery of one job's webhook."""

    webhook_url: str | None
    state: Outcome | Literal["none", "waiting", "pending"] = Field(
        description="`none`: the job has no webhook; `waiting`: the job has not ended; `pending`: "
        "another attempt is due."
    )
    attempts: list[AttemptDocument] = Field(description="The newest 50, oldest first.")
    next_attempt_at: Timestamp | None


class SecretsDocument(BaseModel):
    """The secrets that sign your webhooks."""

    secrets: list[str] = Field(
        description="Newest first. While there are two, each message carries both signatures."
    )


def webhook_routes(jobs: ScopedJobStore, webhooks: WebhookStore) -> APIBlueprint:
    """Routes over these services."""
    routes = described_routes("webhooks", WEBHOOKS, "/v1")

    @routes.get(
        "/jobs/<job_id>/deliveries",
        responses={200: DeliveriesDocument, **problems("JOB_NOT_FOUND")},
    )
    def list_deliveries(path: JobPath) -> dict[str, Any]:
        """List delivery attempts"""
        job = jobs.get(path.job_id)
        return as_json(_deliveries(job, webhooks.log(job.id)))

    @routes.get(
        "/webhook-secret",
        responses={200: SecretsDocument},
        description="Messages are signed as specified by Standard Webhooks, with one secret per "
        "owner. "
        "Anyone who has it can sign as this server: keep it readable by your receiver only.",
    )
    def show_secret() -> dict[str, Any]:
        """Show the signing secret"""
        return as_json(SecretsDocument(secrets=list(webhooks.secrets(caller().owner))))

    @routes.post(
        "/webhook-secret",
        responses={200: SecretsDocument, **problems("CROSS_SITE")},
        description="Messages carry a signature of the previous secret as well for a day, so that "
        "receivers can be changed.",
    )
    def rotate_secret() -> dict[str, Any]:
        """Rotate the signing secret"""
        webhooks.rotate_secret(caller().owner, grace_s=_OLD_SECRET_S)
        return as_json(SecretsDocument(secrets=list(webhooks.secrets(caller().owner))))

    return routes


def _deliveries(job: Job, log: DeliveryLog) -> DeliveriesDocument:
    return DeliveriesDocument(
        webhook_url=job.options.webhook_url,
        state=_state(job, log),
        attempts=[
            AttemptDocument(
                number=attempt.number,
                at=timestamp(attempt.at),
                seconds=attempt.seconds,
                status=attempt.status,
                outcome=attempt.outcome,
                detail=attempt.detail,
            )
            for attempt in log.attempts
        ],
        next_attempt_at=timestamp(log.next_at) if log.next_at is not None else None,
    )


def _state(job: Job, log: DeliveryLog) -> Outcome | Literal["none", "waiting", "pending"]:
    if job.options.webhook_url is None:
        return "none"
    if not job.is_terminal:
        return "waiting"
    if log.next_at is not None or not log.attempts:
        return "pending"
    return log.attempts[-1].outcome
