"""What was answered to a look at a job a moment ago, sent once more to whoever asks exactly the same.

Two hundred looks a second through Flask take as much of a core as labelling five hundred books. A look may be a moment
old anyway (`api.jobs.recent_looks`), so while that moment lasts, the bytes of the answer need not be made again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import request

from api.http.measuring import Measuring
from api.jobs.recent_looks import RecentLooks
from jobs.job import Job

# Which job an answer shows, for the hook that sees it leave.
_LOOK_KEY = "spinelabel.look"
# Answers of a few kilobytes; above that all are forgotten.
_MOST = 1_000
# Whoever says who they are is recognised, counted and limited at every request; a body would have to be read.
_NEVER_WITH = frozenset({"AUTHORIZATION", "COOKIE", "CONTENT-LENGTH", "TRANSFER-ENCODING"})


@dataclass(frozen=True)
class Look:
    """An answer on its way: the job that it shows, its body, and the route that gave it."""

    job: Job
    body: bytes
    route: str


def may_be_repeated(job: Job, body: bytes) -> None:
    """Say that the present request's answer is `body` for as long as the job is what it was."""
    assert request.url_rule is not None  # only routes answer
    request.environ[_LOOK_KEY] = Look(job, body, request.url_rule.rule)


class RecentAnswers:
    """Answers by question: the bytes of the whole request. Several threads may use it. Only for servers that ask nobody for a key."""

    def __init__(self, looks: RecentLooks, measuring: Measuring) -> None:
        self._looks = looks
        self._measuring = measuring
        self._lock = threading.Lock()
        self._answers: dict[bytes, tuple[Look, bytes]] = {}

    def find(self, question: bytes) -> bytes | None:
        """The whole answer, headers and all, if it was given a moment ago; counted as one more request."""
        look, answer = self._answers.get(question, (None, b""))
        # The very same reading: what is newer, or was forgotten, has to be written anew.
        if look is None or self._looks.find(look.job.id) is not look.job:
            return None
        self._measuring.count("GET", look.route, HTTPStatus.OK, seconds=0.0)
        return answer

    def note(
        self, question: bytes, gunicorn_request: Any, environ: dict[str, Any], response: Any
    ) -> None:
        """Remember what has just been sent, if its route said that it may be repeated."""
        look: Look | None = environ.get(_LOOK_KEY)
        if look is None or self._looks.find(look.job.id) is not look.job:
            return
        if gunicorn_request.method != "GET" or response.status_code != 200:
            return
        if response.should_close():
            return
        if not _NEVER_WITH.isdisjoint(name for name, _ in gunicorn_request.headers):
            return
        head = [*response.default_headers(), *(f"{n}: {v}\r\n" for n, v in response.headers)]
        answer = "".join(head).encode("latin-1") + b"\r\n" + look.body
        with self._lock:
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[question] = (look, answer)
