"""Tells callers that their jobs have ended, from threads of their own: a receiver that is slow holds up no labelling.

Whose turn it is says the job record, so nothing is lost with a worker: a call that was cut short is due again as soon
as its time is up, in whichever worker looks first.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass

import redis

from jobs.errors import JobNotFound
from jobs.job import Job
from jobs.ports.job_repository import JobRepository
from jobs.ports.webhooks import Attempt, WebhookStore
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.payload import body_of, message_id, signed_headers
from worker.webhooks.retry_policy import Answered, Decision, decide

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_SOME = 8
# Looking a name up has a time limit of its own, the resolver's.
_LOOKUP_S = 10.0


@dataclass(frozen=True, kw_only=True)
class WebhookSender:
    """What it takes to tell callers. `retries_s`: see `decide`."""

    jobs: JobRepository
    callbacks: WebhookStore
    poster: WebhookClient
    retries_s: tuple[float, ...]

    def send_next(self) -> bool:
        """Call back once, for the job that is due the longest. False: none is."""
        for job_id in self.callbacks.due(limit=_SOME):
            number = self.callbacks.take(job_id, lease_s=self.poster.timeout_s + _LOOKUP_S)
            if number is None:
                continue  # another thread was quicker
            try:
                self._send(self.jobs.get(job_id), number)
            except JobNotFound:  # deleted meanwhile
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
                "%s: callback attempt %d %s in %.1f s and is not recorded: a later attempt was taken, or the job deleted",
                job.id,
                number,
                attempt.outcome,
                attempt.seconds,
            )


def _report(job: Job, attempt: Attempt, decision: Decision) -> None:
    log.info(
        "%s: callback attempt %d %s in %.1f s%s%s",
        job.id,
        attempt.number,
        attempt.outcome,
        attempt.seconds,
        f": {attempt.detail}" if attempt.detail else "",
        f" Again in {decision.again_in_s:.0f} s." if decision.again_in_s is not None else "",
    )


def start_sending(sender: WebhookSender, *, threads: int) -> None:
    """Send from so many threads of this process for as long as it lives."""

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
                # One thread says it, once: all of them, every second, would drown everything else in the log.
                if number == 0 and not waits:
                    log.warning("calls back wait for Redis: %s", error)
                waits = True
            except Exception:
                log.exception("a call back failed")
            pause.wait(_LOOK_EVERY_S)

    for number in range(threads):
        name = f"callbacks-{number}"
        threading.Thread(target=run, args=(number,), name=name, daemon=True).start()
