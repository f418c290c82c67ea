"""Sends label requests to the workers and waits for the responses."""

from __future__ import annotations

from http import HTTPStatus

from api.http.concurrency import ConcurrencyLimiter
from api.http.problems import RETRY_AFTER_S, Problem
from api.observability.worker_reports import live_reports, newest_model
from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest, LabelRequests
from jobs.ports.worker_registry import WorkerRegistry
from jobs.queue.task_queue import TaskQueue


class LabelClient:
    """Sends label requests. Thread-safe."""

    def __init__(
        self,
        workers: WorkerRegistry,
        questions: LabelRequests,
        messages: TaskQueue,
        waiting: ConcurrencyLimiter,
        *,
        deadline_s: float,
    ) -> None:
        """
        Args:
            waiting: limits concurrent requests.
            deadline_s: how long to wait for a response, in seconds.
        """
        self._workers = workers
        self._questions = questions
        self._messages = messages
        self._deadline_s = deadline_s
        self._waiting = waiting

    def ask(self, question: LabelRequest) -> Answer:
        """Label the summaries of a request. Raises `Problem` if no worker responds."""
        if newest_model(live_reports(self._workers)) is None:
            # Fail early instead of at the deadline.
            raise _unavailable("No worker reaches a usable model; /readyz shows what is missing.")
        release = self._waiting.try_acquire()
        if release is None:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "TOO_MANY_LONG_POLLS",
                "The maximum number of label requests is in progress; try again in a second, or upload the summaries "
                "as a catalogue.",
                retry_after_s=1,
            )
        try:
            question_id = self._questions.ask(question, keep_s=self._deadline_s)
            self._messages.answer(question_id)
            answer = self._questions.wait(question_id, within_s=self._deadline_s)
        finally:
            release()
        if answer is None:
            raise Problem(
                HTTPStatus.GATEWAY_TIMEOUT,
                "LABEL_TIMEOUT",
                f"No worker responded within {self._deadline_s:g} seconds; try again in {RETRY_AFTER_S} seconds, "
                "or upload the summaries as a catalogue.",
                retry_after_s=RETRY_AFTER_S,
            )
        if isinstance(answer, Failure):
            if answer.code == "EVIDENCE_UNAVAILABLE":
                raise Problem(HTTPStatus.CONFLICT, answer.code, answer.message)
            raise _unavailable(answer.message)
        return answer


def _unavailable(why: str) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "MODEL_UNAVAILABLE", why, retry_after_s=RETRY_AFTER_S
    )
