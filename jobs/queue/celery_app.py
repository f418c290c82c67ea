"""The Celery app that API and workers share: JSON messages with ids only, no result backend."""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from jobs.queue.task_queue import CONTROL_QUEUE, QUEUES
from jobs.queue.weighted_cycle import QueueTurns


def make_celery(broker_url: str) -> Celery:
    """An app without tasks: the API sends by name, workers register. Connects on first use."""
    app = Celery("spinelabel", broker=broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        # Results are in the job record; a result backend would duplicate it.
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_queues=[Queue(name) for name in QUEUES],
        task_default_queue=CONTROL_QUEUE,
        task_create_missing_queues=False,
        broker_transport_options={
            # Our own class, so it is passed as an object and not by name.
            "queue_order_strategy": QueueTurns,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Celery takes the errors of a full Redis for channel errors. Without this its consumer
        # exits with status 0 instead of reconnecting.
        broker_channel_error_retry=True,
        # Messages are acknowledged when a task starts. Recovery finds abandoned steps in the job
        # record within seconds; redelivery by the broker would take minutes and repeat work.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    return app
