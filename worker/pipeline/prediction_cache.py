"""Prediction cache in front of the model: only cache misses are cleaned and sent.

The key is a digest of title and summary as in the catalogue, the model's version and digest, and
the
owner: response times must not reveal what another owner has labelled. The value is the row of
probabilities, so a cache hit gives exactly the label of the first prediction. A cache hit is not
cleaned: cleaning would double its cost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalogue.labelled.labels import RowError
from catalogue.text.cleaning import CLEANING_FINGERPRINT, clean_book
from jobs.ports.prediction_cache import KEY_BYTES
from worker.dependencies import Services
from worker.model.registry import ServedModel
from worker.pipeline.measurements import Measurements
from worker.pipeline.predict import predict

# Title and summary, uncleaned; the title is "" for a model that does not read it.
Book = tuple[str, str]

_FLOATS = np.dtype("<f4")
# Part of every key. It differs from that of older keys, which were digests of cleaned texts.
_KEY_CONTENT = "title and summary"


def predict_with_cache(
    services: Services,
    model: ServedModel,
    books: Sequence[Book],
    *,
    owner: str | None,
    as_of: float,
    checkpoint: Callable[[], None],
    measurements: Measurements,
) -> list[NDArray[np.float32] | RowError]:
    """Return a row of probabilities (float32 [K]) or a row error for each book, in order.

    Args:
        as_of: cache entries of this owner from before this time (Unix seconds) are used.
        checkpoint: see `predict`.
        measurements: collects the durations of the calls and the cache lookups.

    Raises:
        ModelReplaced: another model was published under the number of this one.
        ModelUnavailable, ModelMismatch: see `predict`.
    """
    keys = _keys(model, owner, books)
    hits = _look_up(services, model, list(dict.fromkeys(keys)), as_of)
    measurements.cache_hits += len(hits)
    texts = {
        key: clean_book(*book) for key, book in zip(keys, books, strict=True) if key not in hits
    }
    measurements.cache_misses += len(texts)
    misses = [text for text in texts.values() if text]
    predictions = dict(
        zip(
            misses,
            predict(
                services.models.client,
                model.version,
                misses,
                max_tokens=model.description.max_tokens,
                settings=services.settings,
                checkpoint=checkpoint,
                measurements=measurements,
            ),
            strict=True,
        )
    )
    # After the last prediction and before anything is kept, also where every row was a cache hit.
    if keys:
        checkpoint()
        services.models.confirm(model)
    outcomes: dict[bytes, NDArray[np.float32] | RowError] = dict(hits)
    fresh: dict[bytes, bytes] = {}
    for key, text in texts.items():
        if not text:
            outcomes[key] = RowError.EMPTY_SUMMARY
        elif (row := predictions[text]) is None:
            # Not cached: the rejection may be this server's fault.
            outcomes[key] = RowError.MODEL_REJECTED
        else:
            outcomes[key] = row
            fresh[key] = row.astype(_FLOATS).tobytes()
    services.prediction_cache.put(fresh)
    return [outcomes[key] for key in keys]


def cache_hit_ratio(
    services: Services,
    model: ServedModel,
    books: Sequence[Book],
    *,
    owner: str | None,
    as_of: float,
) -> float:
    """Return the share of distinct books that are cached, 0 to 1; 0 without books."""
    keys = set(_keys(model, owner, books))
    return len(_look_up(services, model, list(keys), as_of)) / len(keys) if keys else 0.0


def _look_up(
    services: Services, model: ServedModel, keys: Sequence[bytes], as_of: float
) -> Mapping[bytes, NDArray[np.float32]]:
    size = len(model.description.labels) * _FLOATS.itemsize
    return {
        key: np.frombuffer(value, dtype=_FLOATS)
        for key, value in services.prediction_cache.get(keys, before=as_of).items()
        if len(value) == size
    }


def _keys(model: ServedModel, owner: str | None, books: Sequence[Book]) -> list[bytes]:
    # Version and digest: models that this project did not export may have equal descriptions.
    identity = [_KEY_CONTENT, CLEANING_FINGERPRINT, *model.pinned, owner]
    scope = hashlib.blake2b(json.dumps(identity).encode(), digest_size=KEY_BYTES).digest()
    return [
        hashlib.blake2b(
            # UTF-8 cannot encode lone surrogates, which cleaning may get.
            f"{len(title)}:{title}{summary}".encode("utf-8", "surrogatepass"),
            digest_size=KEY_BYTES,
            key=scope,
        ).digest()
        for title, summary in books
    ]
