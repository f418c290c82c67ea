"""Enqueuing after the record has been written."""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def enqueue_or_log(send: Callable[[str], None], job_id: str) -> None:
    """Send a message about a job; one that cannot be sent is logged.

    The record already says what is due, so the sweeper will send it again. The client must be told
    what the record says, whatever happens to the message.
    """
    try:
        send(job_id)
    except Exception as error:  # a broker has many errors, and none of them changes the job
        log.error("%s: a message could not be sent, the sweeper will: %s", job_id, error)
