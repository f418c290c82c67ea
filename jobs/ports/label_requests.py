"""The port for a few summaries that are to be labelled at once: the API asks, a worker answers.

A question is no job: it is short-lived, it is answered once or not at all, and whoever asked waits for it. What is lost
with a process is asked again by the client.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from catalogue.labelled.labels import Label, RowError
from jobs.job import Failure


@dataclass(frozen=True, kw_only=True)
class LabelRequest:
    """What is asked."""

    summaries: tuple[str, ...]
    titles: tuple[str, ...]  # one for each summary, "" where there is none
    owner: str | None  # of the key that asks; None where no key is asked for
    evidence: bool = False  # whether the labels are to say which words weighed most


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a worker found: one outcome per summary, in order."""

    model_version: int
    outcomes: tuple[Label | RowError, ...]


class LabelRequests(ABC):
    """Questions that wait for a worker, and answers that wait for whoever asked."""

    @abstractmethod
    def ask(self, question: LabelRequest, *, keep_s: float) -> str:
        """Put a question, which is withdrawn after `keep_s` seconds; its id."""

    @abstractmethod
    def wait(self, question_id: str, *, within_s: float) -> Answer | Failure | None:
        """The answer, or why there can be none. None: nobody answered in time; the question is withdrawn then."""

    @abstractmethod
    def take(self, question_id: str) -> LabelRequest | None:
        """The question, for whoever takes it first. None: it is taken, answered or withdrawn."""

    @abstractmethod
    def answer(self, question_id: str, answer: Answer | Failure) -> None:
        """Leave the answer for whoever asked; it is forgotten if nobody fetches it soon."""
