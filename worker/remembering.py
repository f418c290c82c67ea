"""Asks the model only for what it has not said before: a cache of labels in front of the predictions.

The key is a digest of the cleaned text and of everything that makes a model version this one; the value is the row of
probabilities, bit by bit. So a remembered row is decided and written exactly as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

import numpy as np

from jobs.label_cache import KEY_BYTES
from worker.model_description import ModelDescription
from worker.prediction import Prediction, predict
from worker.services import Services

_FLOATS = np.dtype("<f4")


def predict_remembering(
    services: Services,
    version: int,
    model: ModelDescription,
    texts: Sequence[str],
    *,
    as_of: float,
    checkpoint: Callable[[], None],
) -> list[Prediction]:
    """Like `predict`; what was known before the moment `as_of` (Unix seconds) is not asked again."""
    keys = dict(zip(texts, _keys(version, model, texts), strict=True))
    known = services.labels.get(list(keys.values()), before=as_of)
    size = len(model.labels) * _FLOATS.itemsize
    found: dict[str, Prediction] = {
        text: np.frombuffer(known[key], dtype=_FLOATS)
        for text, key in keys.items()
        if len(known.get(key, b"")) == size
    }
    rest = [text for text in keys if text not in found]
    predictions = predict(
        services.model,
        version,
        rest,
        max_tokens=model.max_tokens,
        settings=services.settings,
        checkpoint=checkpoint,
    )
    fresh = dict(zip(rest, predictions, strict=True))
    # A text that was refused may only have been refused by this server, now.
    services.labels.put(
        {
            keys[text]: row.astype(_FLOATS).tobytes()
            for text, row in fresh.items()
            if row is not None
        }
    )
    found.update(fresh)
    return [found[text] for text in texts]


def _keys(version: int, model: ModelDescription, texts: Sequence[str]) -> list[bytes]:
    # The number alone would not do: another model folder may have another version 1.
    identity = json.dumps([version, model.document], sort_keys=True).encode()
    scope = hashlib.blake2b(identity, digest_size=KEY_BYTES).digest()
    return [
        hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=KEY_BYTES, key=scope).digest()
        for text in texts
    ]
