"""Sends label requests to the workers and waits for the responses."""

from __future__ import annotations

from http import HTTPStatus

from api.http.concurrency import ConcurrencyLimiter
from api.http.problems import RETRY_AFTER_S, Problem
from api.observability.worker_reports import live_reports, newest_model
from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelRequests, LabelResponse
from jobs.ports.record.worker_registry import WorkerRegistry
from jobs.queue.task_queue import TaskQueue


class LabelClient:
    """Sends label requests. Thread-safe."""

    def __init__(
        self,
        workers: WorkerRegistry,
        label_requests: LabelRequests,
        task_queue: TaskQueue,
        limiter: ConcurrencyLimiter,
        *,
        timeout_s: float,
    ) -> None:
        """
        Args:
            limiter: limits concurrent requests.
            timeout_s: how long to wait for a response, in seconds.
        """
        self._workers = workers
        self._label_requests = label_requests
        self._task_queue = task_queue
        self._limiter = limiter
        self._timeout_s = timeout_s

    def label(self, request: LabelRequest) -> LabelResponse:
        """Label the summaries of a request. Raises `Problem` if no worker responds."""
        if newest_model(live_reports(self._workers)) is None:
            # Fail early instead of at the timeout.
            raise _unavailable("No worker reaches a usable model; /readyz shows what is missing.")
        release = self._limiter.try_acquire()
        if release is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "TOO_MANY_LONG_POLLS",
                "The maximum number of label requests is in progress; try again in a second, or "
                "upload the summaries as a catalogue.",
                retry_after_s=1,
            )
        try:
            request_id = self._label_requests.submit(request, ttl_s=self._timeout_s)
            self._task_queue.label_now(request_id)
            response = self._label_requests.wait(request_id, timeout_s=self._timeout_s)
        finally:
            release()
        if response is None:
            raise Problem(
                HTTPStatus.GATEWAY_TIMEOUT,
                "LABEL_TIMEOUT",
                f"No worker responded within {self._timeout_s:g} seconds; try again in "
                f"{RETRY_AFTER_S} seconds, or upload the summaries as a catalogue.",
                retry_after_s=RETRY_AFTER_S,
            )
        if isinstance(response, Failure):
            if response.code == "EVIDENCE_UNAVAILABLE":
                raise Problem(HTTPStatus.CONFLICT, response.code, response.message)
            raise _unavailable(response.message)
        return response


def _unavailable(detail: str) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "MODEL_UNAVAILABLE", detail, retry_after_s=RETRY_AFTER_S
    )
