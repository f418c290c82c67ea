"""Wiring: the ports and settings that tasks use, created once per process after its fork.

Only this module of the worker imports adapters of the ports.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from celery import Celery

from jobs.files.storage import Storage
from jobs.ports.job_store import JobStore
from jobs.ports.label_requests import LabelRequests
from jobs.ports.prediction_cache import NullPredictionCache, PredictionCache
from jobs.ports.record.worker_registry import WorkerRegistry
from jobs.ports.webhooks import WebhookStore
from jobs.queue.task_queue import CeleryTaskQueue, TaskQueue
from jobs.redis.connection import redis_client
from jobs.redis.job_store import redis_job_store
from jobs.redis.label_requests import RedisLabelRequests
from jobs.redis.prediction_cache import RedisPredictionCache
from jobs.redis.record.worker_registry import RedisWorkerRegistry
from jobs.redis.webhooks import RedisWebhookStore
from worker.liveness.progress import ProgressMark
from worker.model.client import ModelClient
from worker.model.registry import ModelRegistry
from worker.settings import WorkerSettings
from worker.webhooks.http_client import WebhookClient
from worker.webhooks.sender import WebhookSender


@dataclass(frozen=True, kw_only=True)
class Services:
    """The adapters and settings of one worker process."""

    store: JobStore
    storage: Storage
    task_queue: TaskQueue
    label_requests: LabelRequests
    webhooks: WebhookStore
    models: ModelRegistry
    prediction_cache: PredictionCache
    settings: WorkerSettings
    progress: ProgressMark = field(default_factory=ProgressMark)


def connect(settings: WorkerSettings, app: Celery, progress: ProgressMark) -> Services:
    """Create the production adapters. Call it after the fork; each connects at its first use."""
    client = redis_client(settings.redis_url)
    return Services(
        store=redis_job_store(client),
        storage=Storage(settings.storage_url),
        task_queue=CeleryTaskQueue(app),
        label_requests=RedisLabelRequests(client),
        webhooks=RedisWebhookStore(client),
        models=ModelRegistry(
            ModelClient(
                settings.model_target,
                settings.model_name,
                deadline_s=settings.model_deadline_s,
                retry_for_s=settings.model_retry_budget_s,
            )
        ),
        prediction_cache=_prediction_cache(settings),
        settings=settings,
        progress=progress,
    )


def _prediction_cache(settings: WorkerSettings) -> PredictionCache:
    if not settings.prediction_cache_max_entries:
        return NullPredictionCache()
    return RedisPredictionCache(
        settings.redis_url,
        max_entries=settings.prediction_cache_max_entries,
        ttl_s=settings.prediction_cache_ttl_s,
    )


def connect_worker_registry(settings: WorkerSettings) -> WorkerRegistry:
    """Create the registry of workers alone, for the main process, which runs no tasks."""
    return RedisWorkerRegistry(redis_client(settings.redis_url))


def webhook_sender(services: Services) -> WebhookSender:
    """Create the sender of webhooks, over the adapters of this process."""
    settings = services.settings
    return WebhookSender(
        jobs=services.store.jobs,
        webhooks=services.webhooks,
        client=WebhookClient(
            timeout_s=settings.webhook_timeout_s, rules=settings.webhook_url_rules
        ),
        delays_s=settings.webhook_retry_delays_s,
    )
