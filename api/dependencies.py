"""Wiring: the services of the routes, created once per process after the server's fork.

Only this module of the API imports adapters of the ports.
"""

from __future__ import annotations

from dataclasses import dataclass

from api.settings import ApiSettings
from jobs.files.storage import Storage
from jobs.ports.api_keys import ApiKeyStore
from jobs.ports.corrections import CorrectionStore
from jobs.ports.job_store import JobStore
from jobs.ports.label_requests import LabelRequests
from jobs.ports.webhooks import WebhookStore
from jobs.queue.task_queue import TaskQueue


@dataclass(frozen=True, kw_only=True)
class Services:
    """The ports, and where the counters of the rate limit are."""

    store: JobStore
    storage: Storage
    task_queue: TaskQueue
    corrections: CorrectionStore
    label_requests: LabelRequests
    keys: ApiKeyStore
    webhooks: WebhookStore
    rate_limit_url: str  # see `register_rate_limit`
    rate_limit_key_prefix: str = ""


def connect(settings: ApiSettings) -> Services:
    """Create the production services. Imports the adapters; each connects at its first use."""
    from jobs.queue.celery_app import make_celery
    from jobs.queue.task_queue import CeleryTaskQueue
    from jobs.redis.api_keys import RedisApiKeyStore
    from jobs.redis.connection import redis_client
    from jobs.redis.corrections import RedisCorrectionStore
    from jobs.redis.job_store import redis_job_store
    from jobs.redis.keys import RATE_LIMIT_PREFIX
    from jobs.redis.label_requests import RedisLabelRequests
    from jobs.redis.webhooks import RedisWebhookStore

    client = redis_client(settings.redis_url)
    return Services(
        store=redis_job_store(client),
        storage=Storage(settings.storage_url),
        task_queue=CeleryTaskQueue(make_celery(settings.broker_url)),
        corrections=RedisCorrectionStore(client),
        label_requests=RedisLabelRequests(client),
        keys=RedisApiKeyStore(client),
        webhooks=RedisWebhookStore(client),
        rate_limit_url=settings.redis_url,
        rate_limit_key_prefix=RATE_LIMIT_PREFIX,
    )


def connect_api_keys(redis_url: str) -> ApiKeyStore:
    """The store of API keys alone. Connects at its first use."""
    from jobs.redis.api_keys import RedisApiKeyStore
    from jobs.redis.connection import redis_client

    return RedisApiKeyStore(redis_client(redis_url))
