"""Label requests and responses in Redis, as JSON keys that expire."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict
from typing import Any, cast

import redis

from catalogue.labelled.labels import EvidenceWord, Label, RowError, RowErrorCode
from jobs.job import Failure
from jobs.ports.label_requests import LabelRequest, LabelRequests, LabelResponse
from jobs.redis.keys import label_request_key, label_response_key

_RESPONSE_TTL_S = 60
# Below the socket timeout, so that waiting is not mistaken for an outage.
_MAX_BLOCK_S = 4.0


class RedisLabelRequests(LabelRequests):
    """Raises `redis.RedisError` if Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def submit(self, request: LabelRequest, *, ttl_s: float) -> str:
        request_id = uuid.uuid4().hex
        text = json.dumps(asdict(request))
        self._redis.set(label_request_key(request_id), text, px=max(round(ttl_s * 1000), 1))
        return request_id

    def wait(self, request_id: str, *, timeout_s: float) -> LabelResponse | Failure | None:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            # Redis takes a timeout of 0 for none.
            block_s = max(min(left, _MAX_BLOCK_S), 0.01)
            popped = cast(
                list[str] | None, self._redis.blpop([label_response_key(request_id)], block_s)
            )
            if popped:
                return _response_from(json.loads(popped[1]))
        self._redis.delete(label_request_key(request_id))
        return None

    def claim(self, request_id: str) -> LabelRequest | None:
        text = cast(str | None, self._redis.getdel(label_request_key(request_id)))
        if text is None:
            return None
        document = json.loads(text)
        return LabelRequest(
            summaries=tuple(document["summaries"]),
            titles=tuple(document["titles"]),
            owner=document["owner"],
            evidence=document["evidence"],
        )

    def respond(self, request_id: str, response: LabelResponse | Failure) -> None:
        key = label_response_key(request_id)
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(key, json.dumps(_document(response)))
            pipe.expire(key, _RESPONSE_TTL_S)
            pipe.execute()


def _document(response: LabelResponse | Failure) -> dict[str, Any]:
    if isinstance(response, Failure):
        return {"failure": asdict(response)}
    outcomes = [_outcome_document(outcome) for outcome in response.outcomes]
    return {"model_version": response.model_version, "outcomes": outcomes}


def _outcome_document(outcome: Label | RowError) -> dict[str, Any]:
    if isinstance(outcome, RowError):
        return {"row_error": outcome.code.value, "row_error_detail": outcome.detail}
    return asdict(outcome)


def _response_from(document: dict[str, Any]) -> LabelResponse | Failure:
    if "failure" in document:
        return Failure(**document["failure"])
    return LabelResponse(
        model_version=document["model_version"],
        outcomes=tuple(map(_outcome_from, document["outcomes"])),
    )


def _outcome_from(document: dict[str, Any]) -> Label | RowError:
    if "row_error" in document:
        return RowError(RowErrorCode(document["row_error"]), document["row_error_detail"])
    tuples = {
        "genre_set": tuple(document["genre_set"]),
        "alternatives": tuple(map(tuple, document.get("alternatives", ()))),
        "evidence": tuple(EvidenceWord(**word) for word in document["evidence"]),
    }
    return Label(**(document | tuples))
