"""What the tasks work with; made once per process."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from celery import Celery

from jobs.files.storage import Storage
from jobs.job import Failure, State
from jobs.ports.chunk_ledger import Commit
from jobs.ports.job_repository import JobRepository
from jobs.ports.job_store import JobStore
from jobs.ports.label_requests import LabelRequests
from jobs.ports.prediction_cache import NullPredictionCache, PredictionCache
from jobs.queue.task_queue import CeleryTaskQueue, TaskQueue
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.label_requests import RedisLabelRequests
from jobs.redis.prediction_cache import RedisPredictionCache
from jobs.redis.webhooks import RedisWebhookStore
from worker.model.client import ModelClient
from worker.model.registry import ModelRegistry
from worker.settings import WorkerSettings
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.sender import WebhookSender

log = logging.getLogger(__name__)

INPUT_MISSING = Failure(
    code="INPUT_MISSING",
    message="The uploaded file is no longer in the storage; upload the catalogue again.",
)


@dataclass(frozen=True)
class Services:
    """The ports, and the settings that shape the work."""

    store: JobStore
    storage: Storage
    messages: TaskQueue
    questions: LabelRequests
    models: ModelRegistry
    labels: PredictionCache
    settings: WorkerSettings

    def fail(self, job_id: str, failure: Failure) -> None:
        """End the job as failed; what was labelled is kept."""
        log.error("%s: failed: %s: %s", job_id, failure.code, failure.message)
        self.store.jobs.end(job_id, State.FAILED, failure)
        self.messages.assemble(job_id)

    def follow(self, job_id: str, commit: Commit) -> None:
        """Send what a committed step leads to. A message lost here is enqueued again by `recover_jobs`."""
        for index in commit.dispatch_chunks:
            self.messages.label(job_id, index)
        if commit.last:
            self.messages.assemble(job_id)


def connect(settings: WorkerSettings, app: Celery) -> Services:
    """The real services. Nothing connects before its first use, so this may run before a fork."""
    client = redis_client(settings.redis_url)
    return Services(
        store=redis_job_store(client),
        storage=Storage(settings.storage_url),
        messages=CeleryTaskQueue(app),
        questions=RedisLabelRequests(client),
        models=ModelRegistry(
            ModelClient(
                settings.model_target,
                settings.model_name,
                deadline_s=settings.model_deadline_s,
                retry_for_s=settings.model_retry_budget_s,
            )
        ),
        labels=_label_cache(settings),
        settings=settings,
    )


def _label_cache(settings: WorkerSettings) -> PredictionCache:
    if not settings.prediction_cache_max_entries:
        return NullPredictionCache()
    return RedisPredictionCache(
        settings.redis_url,
        max_entries=settings.prediction_cache_max_entries,
        ttl_s=settings.prediction_cache_ttl_s,
    )


def connect_sender(settings: WorkerSettings, jobs: JobRepository) -> WebhookSender:
    """What tells callers that their jobs have ended."""
    return WebhookSender(
        jobs=jobs,
        callbacks=RedisWebhookStore(redis_client(settings.redis_url)),
        poster=WebhookClient(
            timeout_s=settings.webhook_timeout_s, rules=settings.webhook_url_rules
        ),
        retries_s=settings.webhook_retry_delays_s,
    )
