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
from jobs.ports.record.job_repository import JobRepository
from jobs.ports.webhooks import Attempt, WebhookStore
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.payload import message_id, signed_headers, webhook_payload
from worker.webhooks.retry_policy import HttpResponse, next_attempt

log = structlog.get_logger(__name__)

_POLL_INTERVAL_S = 1.0
_PAGE_SIZE = 8
# The resolver has a time limit of its own.
_LOOKUP_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class WebhookSender:
    """Delivers webhooks one at a time; thread-safe. `delays_s`: see `next_attempt`."""

    jobs: JobRepository
    webhooks: WebhookStore
    client: WebhookClient
    delays_s: tuple[float, ...]

    def send_next(self) -> bool:
        """Make one attempt for the longest due delivery. Return False if none is due."""
        lease_s = self.client.timeout_s + _LOOKUP_TIMEOUT_S
        for job_id in self.webhooks.due(limit=_PAGE_SIZE):
            number = self.webhooks.claim(job_id, lease_s=lease_s)
            if number is None:
                continue  # another thread has claimed it
            try:
                self._send(self.jobs.get(job_id), number)
            except JobNotFound:  # deleted since the list was read
                continue
            return True
        return False

    def _send(self, job: Job, number: int) -> None:
        assert job.options.webhook_url  # only such jobs become due
        sent_at, started_at = time.time(), time.monotonic()
        body = webhook_payload(job)
        headers = signed_headers(
            message_id(job), body, secrets=self.webhooks.secrets(job.owner), at=int(sent_at)
        )
        result = self.client.post(job.options.webhook_url, headers, body)
        decision = next_attempt(
            result, attempt=number, delays_s=self.delays_s, jitter=random.random()
        )
        attempt = Attempt(
            number=number,
            at=sent_at,
            seconds=round(time.monotonic() - started_at, 3),
            status=result.status if isinstance(result, HttpResponse) else None,
            outcome=decision.outcome,
            detail=decision.detail,
        )
        if self.webhooks.record(job.id, attempt, retry_in_s=decision.retry_in_s):
            log.info(
                "webhook_attempted",
                job_id=job.id,
                number=number,
                outcome=attempt.outcome,
                seconds=attempt.seconds,
                detail=attempt.detail,
                retry_in_s=decision.retry_in_s,
            )
        else:
            log.warning(
                "webhook_attempt_not_recorded",
                job_id=job.id,
                number=number,
                outcome=attempt.outcome,
                seconds=attempt.seconds,
                reason="a later attempt was claimed, or the job was deleted",
            )


def start_sending(sender: WebhookSender, *, threads: int) -> None:
    """Start the given number of sender threads in this process."""

    def run(number: int) -> None:
        pause = threading.Event()
        in_outage = False
        while True:
            try:
                was_sent = sender.send_next()
                in_outage = False
                if was_sent:
                    continue
            except redis.RedisError as error:
                # Logged by one thread and once per outage.
                if number == 0 and not in_outage:
                    log.warning("webhooks_wait_for_redis", error=error)
                in_outage = True
            except Exception:
                log.exception("webhook_failed")
            pause.wait(_POLL_INTERVAL_S)

    for number in range(threads):
        name = f"webhooks-{number}"
        threading.Thread(target=run, args=(number,), name=name, daemon=True).start()
