"""Asks the model only for what it has not said before: a cache of labels in front of the predictions.

The key is a digest of title and summary as the catalogue has them, and of everything that makes a model version this one;
the value is the row of probabilities, bit by bit. So a remembered row is decided and written exactly as it was, and it is
not even cleaned, which takes as long as all else that is done for it together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalogue import CLEANING_FINGERPRINT, RowError, clean_book
from jobs.label_cache import KEY_BYTES
from worker.model_description import ModelDescription
from worker.prediction import predict
from worker.services import Services

# Title and summary, uncleaned; the title is "" for a model that does not read it.
Book = tuple[str, str]

_FLOATS = np.dtype("<f4")
# What a key is a digest of, beside the model. Older keys, of cleaned texts, are not among these.
_KEYED = "title and summary"


def predict_remembering(
    services: Services,
    version: int,
    model: ModelDescription,
    books: Sequence[Book],
    *,
    as_of: float,
    checkpoint: Callable[[], None],
) -> list[NDArray[np.float32] | RowError]:
    """A row of probabilities (float32 [K]) for each book, in order, or why there is none.

    What was known before the moment `as_of` (Unix seconds) is not asked again. `checkpoint` and what is raised: see
    `predict`.
    """
    keys = _keys(version, model, books)
    known = _known(services, model, list(dict.fromkeys(keys)), as_of)
    texts = {
        key: clean_book(*book) for key, book in zip(keys, books, strict=True) if key not in known
    }
    asked = [text for text in texts.values() if text]
    predictions = dict(
        zip(
            asked,
            predict(
                services.model,
                version,
                asked,
                max_tokens=model.max_tokens,
                settings=services.settings,
                checkpoint=checkpoint,
            ),
            strict=True,
        )
    )
    found: dict[bytes, NDArray[np.float32] | RowError] = dict(known)
    fresh: dict[bytes, bytes] = {}
    for key, text in texts.items():
        if not text:
            found[key] = RowError.EMPTY_SUMMARY
        elif (row := predictions[text]) is None:
            # Not remembered: it may only have been refused by this server, now.
            found[key] = RowError.MODEL_REJECTED
        else:
            found[key] = row
            fresh[key] = row.astype(_FLOATS).tobytes()
    services.labels.put(fresh)
    return [found[key] for key in keys]


def share_remembered(
    services: Services,
    version: int,
    model: ModelDescription,
    books: Sequence[Book],
    *,
    as_of: float,
) -> float:
    """The share of these books that `predict_remembering` would not ask the model; 0 of none."""
    keys = set(_keys(version, model, books))
    return len(_known(services, model, list(keys), as_of)) / len(keys) if keys else 0.0


def _known(
    services: Services, model: ModelDescription, keys: Sequence[bytes], as_of: float
) -> Mapping[bytes, NDArray[np.float32]]:
    size = len(model.labels) * _FLOATS.itemsize
    return {
        key: np.frombuffer(value, dtype=_FLOATS)
        for key, value in services.labels.get(keys, before=as_of).items()
        if len(value) == size
    }


def _keys(version: int, model: ModelDescription, books: Sequence[Book]) -> list[bytes]:
    # The number alone would not do: another model folder may have another version 1.
    identity = [_KEYED, CLEANING_FINGERPRINT, version, model.document]
    scope = hashlib.blake2b(
        json.dumps(identity, sort_keys=True).encode(), digest_size=KEY_BYTES
    ).digest()
    return [
        hashlib.blake2b(
            # Lone surrogates, which UTF-8 does not have, are part of what is cleaned.
            f"{len(title)}:{title}{summary}".encode("utf-8", "surrogatepass"),
            digest_size=KEY_BYTES,
            key=scope,
        ).digest()
        for title, summary in books
    ]
