"""Sends due webhooks from threads of their own, so that slow receivers do not delay labelling.

Due deliveries are stored in the job record, so a crashed worker loses none: an attempt that was cut
short is due again when its lease expires.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass

import redis
import structlog

from jobs.errors import JobNotFound
from jobs.job import Job
from jobs.ports.job_repository import JobRepository
from jobs.ports.webhooks import Attempt, WebhookStore
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.payload import body_of, message_id, signed_headers
from worker.webhooks.retry_policy import Answered, DeliveryDecision, decide

log = structlog.get_logger(__name__)

_POLL_INTERVAL_S = 1.0
_PAGE_SIZE = 8
# The resolver has a time limit of its own.
_LOOKUP_S = 10.0


@dataclass(frozen=True, kw_only=True)
class WebhookSender:
    """Delivers webhooks one at a time; thread-safe. `retries_s`: see `decide`."""

    jobs: JobRepository
    callbacks: WebhookStore
    poster: WebhookClient
    retries_s: tuple[float, ...]

    def send_next(self) -> bool:
        """Make one attempt for the delivery that is due the longest. Return False if none is due."""
        for job_id in self.callbacks.due(limit=_PAGE_SIZE):
            number = self.callbacks.take(job_id, lease_s=self.poster.timeout_s + _LOOKUP_S)
            if number is None:
                continue  # another thread took it
            try:
                self._send(self.jobs.get(job_id), number)
            except JobNotFound:  # deleted since
                continue
            return True
        return False

    def _send(self, job: Job, number: int) -> None:
        assert job.options.webhook_url  # only such jobs become due
        at, began = time.time(), time.monotonic()
        body = body_of(job)
        headers = signed_headers(
            message_id(job), body, secrets=self.callbacks.secrets(job.owner), at=int(at)
        )
        result = self.poster.post(job.options.webhook_url, headers, body)
        decision = decide(result, number=number, retries_s=self.retries_s, chance=random.random())
        attempt = Attempt(
            number=number,
            at=at,
            seconds=round(time.monotonic() - began, 3),
            status=result.status if isinstance(result, Answered) else None,
            outcome=decision.outcome,
            detail=decision.detail,
        )
        if self.callbacks.record(job.id, attempt, again_in_s=decision.again_in_s):
            _report(job, attempt, decision)
        else:
            log.warning(
                "webhook_attempt_not_recorded",
                job_id=job.id,
                number=number,
                outcome=attempt.outcome,
                seconds=attempt.seconds,
                reason="a later attempt was taken, or the job was deleted",
            )


def _report(job: Job, attempt: Attempt, decision: DeliveryDecision) -> None:
    log.info(
        "webhook_attempted",
        job_id=job.id,
        number=attempt.number,
        outcome=attempt.outcome,
        seconds=attempt.seconds,
        detail=attempt.detail,
        retry_in_s=decision.again_in_s,
    )


def start_sending(sender: WebhookSender, *, threads: int) -> None:
    """Start the given number of sender threads in this process."""

    def run(number: int) -> None:
        pause = threading.Event()
        waits = False
        while True:
            try:
                sent = sender.send_next()
                waits = False
                if sent:
                    continue
            except redis.RedisError as error:
                # Logged by one thread and once per outage.
                if number == 0 and not waits:
                    log.warning("webhooks_wait_for_redis", error=error)
                waits = True
            except Exception:
                log.exception("webhook_failed")
            pause.wait(_POLL_INTERVAL_S)

    for number in range(threads):
        name = f"webhooks-{number}"
        threading.Thread(target=run, args=(number,), name=name, daemon=True).start()
