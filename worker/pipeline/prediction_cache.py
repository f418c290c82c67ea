"""Prediction cache in front of the model: only cache misses are cleaned and sent.

The key is a digest of title and summary as the catalogue has them, of the model's version and the digest of its
description, and of the owner: how long an answer takes must not tell what another owner has had labelled. The value is
the row of probabilities, bit by bit. So a cache hit is decided and written exactly as the first answer was, and is not
even cleaned, which takes as long as all else that is done for it together.
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
# What a key is a digest of, beside the model. Older keys, of cleaned texts, are not among these.
_KEYED = "title and summary"


def predict_with_cache(
    services: Services,
    model: ServedModel,
    books: Sequence[Book],
    *,
    owner: str | None,
    as_of: float,
    checkpoint: Callable[[], None],
    measured: Measurements,
) -> list[NDArray[np.float32] | RowError]:
    """A row of probabilities (float32 [K]) for each book, in order, or why there is none.

    What this owner had labelled before the moment `as_of` (Unix seconds) is not asked again. All rows are of `model`:
    raises `ModelReplaced` when another one serves under its number meanwhile. `checkpoint`, `measured` and what else is
    raised: see `predict`.
    """
    keys = _keys(model, owner, books)
    known = _known(services, model, list(dict.fromkeys(keys)), as_of)
    measured.cache_hits += len(known)
    texts = {
        key: clean_book(*book) for key, book in zip(keys, books, strict=True) if key not in known
    }
    measured.cache_misses += len(texts)
    asked = [text for text in texts.values() if text]
    predictions = dict(
        zip(
            asked,
            predict(
                services.models.client,
                model.version,
                asked,
                max_tokens=model.description.max_tokens,
                settings=services.settings,
                checkpoint=checkpoint,
                measured=measured,
            ),
            strict=True,
        )
    )
    # After the last prediction and before anything is kept, also where every row was a cache hit.
    if keys:
        checkpoint()
        services.models.confirm(model)
    found: dict[bytes, NDArray[np.float32] | RowError] = dict(known)
    fresh: dict[bytes, bytes] = {}
    for key, text in texts.items():
        if not text:
            found[key] = RowError.EMPTY_SUMMARY
        elif (row := predictions[text]) is None:
            # Not cached: the rejection may be this server's fault.
            found[key] = RowError.MODEL_REJECTED
        else:
            found[key] = row
            fresh[key] = row.astype(_FLOATS).tobytes()
    services.prediction_cache.put(fresh)
    return [found[key] for key in keys]


def cache_hit_ratio(
    services: Services,
    model: ServedModel,
    books: Sequence[Book],
    *,
    owner: str | None,
    as_of: float,
) -> float:
    """The share of these books that `predict_with_cache` would not ask the model; 0 of none."""
    keys = set(_keys(model, owner, books))
    return len(_known(services, model, list(keys), as_of)) / len(keys) if keys else 0.0


def _known(
    services: Services, model: ServedModel, keys: Sequence[bytes], as_of: float
) -> Mapping[bytes, NDArray[np.float32]]:
    size = len(model.description.labels) * _FLOATS.itemsize
    return {
        key: np.frombuffer(value, dtype=_FLOATS)
        for key, value in services.prediction_cache.get(keys, before=as_of).items()
        if len(value) == size
    }


def _keys(model: ServedModel, owner: str | None, books: Sequence[Book]) -> list[bytes]:
    # Number and digest: models that were not exported by this project may describe themselves alike.
    identity = [_KEYED, CLEANING_FINGERPRINT, *model.pinned, owner]
    scope = hashlib.blake2b(json.dumps(identity).encode(), digest_size=KEY_BYTES).digest()
    return [
        hashlib.blake2b(
            # Lone surrogates, which UTF-8 does not have, are part of what is cleaned.
            f"{len(title)}:{title}{summary}".encode("utf-8", "surrogatepass"),
            digest_size=KEY_BYTES,
            key=scope,
        ).digest()
        for title, summary in books
    ]
