"""What the routes work with; made once per process, after the server's fork."""

from __future__ import annotations

from dataclasses import dataclass

from api.settings import ApiSettings
from jobs.callbacks import CallbackStore
from jobs.corrections import CorrectionStore
from jobs.key_store import KeyStore
from jobs.messages import Messages
from jobs.questions import Questions
from jobs.storage import Storage
from jobs.store import JobStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """The ports, and where requests are counted."""

    store: JobStore
    storage: Storage
    messages: Messages
    corrections: CorrectionStore
    questions: Questions
    keys: KeyStore
    callbacks: CallbackStore
    counts_url: str  # see `register_request_limits`


def connect(settings: ApiSettings) -> Services:
    """The real services. Nothing connects before its first use; what they import is paid for here."""
    from jobs.celery_app import make_celery
    from jobs.messages import CeleryMessages
    from jobs.redis_callbacks import RedisCallbackStore
    from jobs.redis_corrections import RedisCorrectionStore
    from jobs.redis_key_store import RedisKeyStore
    from jobs.redis_questions import RedisQuestions
    from jobs.redis_store import RedisJobStore

    return Services(
        store=RedisJobStore(settings.redis_url),
        storage=Storage(settings.storage_url),
        messages=CeleryMessages(make_celery(settings.broker_url)),
        corrections=RedisCorrectionStore(settings.redis_url),
        questions=RedisQuestions(settings.redis_url),
        keys=RedisKeyStore(settings.redis_url),
        callbacks=RedisCallbackStore(settings.redis_url),
        counts_url=settings.redis_url,
    )
