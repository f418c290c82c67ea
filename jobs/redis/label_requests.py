"""Label requests and responses in Redis, as JSON keys that expire."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict
from typing import Any, cast

import redis

from catalogue.labelled.labels import EvidenceWord, Label, RowError
from jobs.job import Failure
from jobs.ports.label_requests import Answer, LabelRequest, LabelRequests
from jobs.redis.keys import label_request_key, label_response_key

_ANSWER_KEPT_S = 60
# Below the socket timeout, so that waiting is not mistaken for an outage.
_LONGEST_BLOCK_S = 4.0


class RedisLabelRequests(LabelRequests):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def ask(self, question: LabelRequest, *, keep_s: float) -> str:
        question_id = uuid.uuid4().hex
        text = json.dumps(asdict(question))
        self._redis.set(label_request_key(question_id), text, px=max(round(keep_s * 1000), 1))
        return question_id

    def wait(self, question_id: str, *, within_s: float) -> Answer | Failure | None:
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            # A timeout of 0 would be none at all.
            block = max(min(left, _LONGEST_BLOCK_S), 0.01)
            found = cast(
                list[str] | None, self._redis.blpop([label_response_key(question_id)], block)
            )
            if found:
                return _answer_from(json.loads(found[1]))
        self._redis.delete(label_request_key(question_id))
        return None

    def take(self, question_id: str) -> LabelRequest | None:
        text = cast(str | None, self._redis.getdel(label_request_key(question_id)))
        if text is None:
            return None
        said = json.loads(text)
        return LabelRequest(
            summaries=tuple(said["summaries"]),
            titles=tuple(said["titles"]),
            owner=said["owner"],
            evidence=said["evidence"],
        )

    def answer(self, question_id: str, answer: Answer | Failure) -> None:
        key = label_response_key(question_id)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(key, json.dumps(_document(answer)))
            pipe.expire(key, _ANSWER_KEPT_S)
            pipe.execute()


def _document(answer: Answer | Failure) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"failure": asdict(answer)}
    outcomes = [
        {"row_error": found.value} if isinstance(found, RowError) else asdict(found)
        for found in answer.outcomes
    ]
    return {"model_version": answer.model_version, "outcomes": outcomes}


def _answer_from(document: dict[str, Any]) -> Answer | Failure:
    if "failure" in document:
        return Failure(**document["failure"])
    return Answer(
        model_version=document["model_version"],
        outcomes=tuple(_outcome_from(found) for found in document["outcomes"]),
    )


def _outcome_from(found: dict[str, Any]) -> Label | RowError:
    if "row_error" in found:
        return RowError(found["row_error"])
    lists = {
        "genre_set": tuple(found["genre_set"]),
        "alternatives": tuple(map(tuple, found.get("alternatives", ()))),
        "evidence": tuple(EvidenceWord(**weighed) for weighed in found["evidence"]),
    }
    return Label(**(found | lists))
