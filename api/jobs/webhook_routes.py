"""`/v1/jobs/{id}/deliveries` and `/v1/callback-secret`: what became of telling a job's caller, and what signs it."""

from __future__ import annotations

from typing import Any, Literal

from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from api.auth.caller import caller
from api.http.openapi_responses import problems
from api.http.parameters import JobPath
from api.jobs.schemas import Timestamp, as_json, timestamp
from api.jobs.scoped_store import ScopedJobStore
from api.openapi import CALLBACKS, described_routes
from jobs.job import Job
from jobs.ports.webhooks import DeliveryLog, Outcome, WebhookStore

_OLD_SECRET_S = 24 * 3600.0


class AttemptDocument(BaseModel):
    """One attempt to call back."""

    number: int = Field(description="Counts from 1; a number that is missing was cut short.")
    at: Timestamp
    seconds: float
    status: int | None = Field(description="Of the receiver's answer; null when there was none.")
    outcome: Outcome = Field(description="`refused`: an address that must not be called.")
    detail: str


class DeliveriesDocument(BaseModel):
    """How calling back for one job stands."""

    callback: str | None
    state: Outcome | Literal["none", "waiting", "pending"] = Field(
        description="`none`: no callback was asked for; `waiting`: for the job's end; `pending`: it will be called."
    )
    attempts: list[AttemptDocument] = Field(description="In their order, the newest fifty.")
    next_attempt_at: Timestamp | None


class SecretsDocument(BaseModel):
    """What signs your callbacks."""

    secrets: list[str] = Field(
        description="The newest first. While there are two, every message has a signature of each."
    )


def callback_routes(jobs: ScopedJobStore, callbacks: WebhookStore) -> APIBlueprint:
    """The endpoints over these services."""
    routes = described_routes("callbacks", CALLBACKS, "/v1")

    @routes.get(
        "/jobs/<job_id>/deliveries",
        responses={200: DeliveriesDocument, **problems("JOB_NOT_FOUND")},
    )
    def list_deliveries(path: JobPath) -> dict[str, Any]:
        """What became of calling back"""
        job = jobs.get(path.job_id)
        return as_json(_deliveries(job, callbacks.log(job.id)))

    @routes.get(
        "/callback-secret",
        responses={200: SecretsDocument},
        description="Messages are signed after the Standard Webhooks convention, for each owner of keys with a secret "
        "of their own. Whoever knows it can sign as this server: keep it where only your receiver reads it.",
    )
    def show_secret() -> dict[str, Any]:
        """The secret that signs your callbacks"""
        return as_json(SecretsDocument(secrets=list(callbacks.secrets(caller().owner))))

    @routes.post(
        "/callback-secret",
        responses={200: SecretsDocument, **problems("CROSS_SITE")},
        description="The secret before it goes on signing as well for a day, so that receivers can be changed.",
    )
    def renew_secret() -> dict[str, Any]:
        """Make a new secret"""
        callbacks.renew_secret(caller().owner, keep_s=_OLD_SECRET_S)
        return as_json(SecretsDocument(secrets=list(callbacks.secrets(caller().owner))))

    return routes


def _deliveries(job: Job, log: DeliveryLog) -> DeliveriesDocument:
    return DeliveriesDocument(
        callback=job.callback,
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
    if job.callback is None:
        return "none"
    if not job.is_terminal:
        return "waiting"
    if log.next_at is not None or not log.attempts:
        return "pending"
    return log.attempts[-1].outcome
