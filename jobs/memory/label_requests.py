"""Label requests in memory."""

from __future__ import annotations

import threading
import time
import uuid

from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelRequests, LabelResponse


class MemoryLabelRequests(LabelRequests):
    """Dictionaries behind one lock."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: dict[str, tuple[LabelRequest, float]] = {}  # with the time of expiry
        self._responses: dict[str, LabelResponse | Failure] = {}

    def submit(self, request: LabelRequest, *, ttl_s: float) -> str:
        request_id = uuid.uuid4().hex
        with self._changed:
            self._requests[request_id] = (request, time.monotonic() + ttl_s)
        return request_id

    def wait(self, request_id: str, *, timeout_s: float) -> LabelResponse | Failure | None:
        with self._changed:
            self._changed.wait_for(lambda: request_id in self._responses, timeout_s)
            self._requests.pop(request_id, None)
            return self._responses.pop(request_id, None)

    def claim(self, request_id: str) -> LabelRequest | None:
        with self._changed:
            request, expires_at = self._requests.pop(request_id, (None, 0.0))
            return request if time.monotonic() < expires_at else None

    def respond(self, request_id: str, response: LabelResponse | Failure) -> None:
        with self._changed:
            self._responses[request_id] = response
            self._changed.notify_all()
