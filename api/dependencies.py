"""The services of the routes, created once per process after the server's fork."""

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
    """The ports, and the URL of the rate limit counters."""

    store: JobStore
    storage: Storage
    task_queue: TaskQueue
    corrections: CorrectionStore
    label_requests: LabelRequests
    keys: ApiKeyStore
    webhooks: WebhookStore
    rate_limit_url: str  # see `register_request_limits`


def connect(settings: ApiSettings) -> Services:
    """The real services. Nothing connects before its first use; what they import is paid for here."""
    from jobs.queue.celery_app import make_celery
    from jobs.queue.task_queue import CeleryTaskQueue
    from jobs.redis.api_keys import RedisApiKeyStore
    from jobs.redis.connection import redis_client
    from jobs.redis.corrections import RedisCorrectionStore
    from jobs.redis.job_store import redis_job_store
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
    )
