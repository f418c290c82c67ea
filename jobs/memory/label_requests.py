"""Label requests in memory."""

from __future__ import annotations

import threading
import time
import uuid

from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest, LabelRequests


class MemoryLabelRequests(LabelRequests):
    """Dictionaries behind one lock."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._questions: dict[str, tuple[LabelRequest, float]] = {}
        self._answers: dict[str, Answer | Failure] = {}

    def ask(self, question: LabelRequest, *, keep_s: float) -> str:
        question_id = uuid.uuid4().hex
        with self._changed:
            self._questions[question_id] = (question, time.monotonic() + keep_s)
        return question_id

    def wait(self, question_id: str, *, within_s: float) -> Answer | Failure | None:
        with self._changed:
            self._changed.wait_for(lambda: question_id in self._answers, within_s)
            self._questions.pop(question_id, None)
            return self._answers.pop(question_id, None)

    def take(self, question_id: str) -> LabelRequest | None:
        with self._changed:
            question, until = self._questions.pop(question_id, (None, 0.0))
            return question if time.monotonic() < until else None

    def answer(self, question_id: str, answer: Answer | Failure) -> None:
        with self._changed:
            self._answers[question_id] = answer
            self._changed.notify_all()
