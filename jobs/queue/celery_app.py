"""The Celery app as both ends of the queue see it: JSON only, ids only, no result backend."""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from jobs.queue.task_queue import CONTROL_QUEUE, QUEUES
from jobs.queue.weighted_cycle import QueueTurns


def make_celery(broker_url: str) -> Celery:
    """An app without tasks: the API sends by name, the worker adds its tasks. Connects on first use."""
    app = Celery("spinelabel", broker=broker_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        # The job record is ours; a result backend would be a second, forgetful copy of it.
        result_backend=None,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_queues=[Queue(name) for name in QUEUES],
        task_default_queue=CONTROL_QUEUE,
        task_create_missing_queues=False,
        broker_transport_options={
            # By class, not by name: it is ours.
            "queue_order_strategy": QueueTurns,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A Redis whose memory or disk is full refuses with what Celery takes for an error of the channel; without this its
        # consumer ends, with exit status 0, and does not wait.
        broker_channel_error_retry=True,
        # Messages are acknowledged when a task starts. What a dead worker leaves undone is found in the
        # job record within seconds; the broker's own redelivery takes minutes, and then repeats work.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    return app
