"""The SavedModel's signature on batches of 256 rows in file order, for the alternatives.

TensorFlow is imported when a model is loaded, so that `--help` does not need it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalogue.text.cleaning import clean

BATCH = 256


class Labeller:
    """A loaded model version."""

    def __init__(self, model: Path) -> None:
        import tensorflow as tf

        self._constant = tf.constant
        # Without this reference its lookup table would be freed.
        self._model = tf.saved_model.load(str(model))
        self._predict = self._model.signatures["serving_default"]
        self.probabilities(["a warm up"])

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [N, K] for cleaned texts, one call."""
        response: Any = self._predict(summary=self._constant(list(texts)))["probabilities"]
        return np.asarray(response.numpy())

    def label(self, summaries: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The best label's number and its probability, each [N], for uncleaned summaries."""
        texts = [clean(summary) for summary in summaries]
        parts = [
            self.probabilities(texts[start : start + BATCH])
            for start in range(0, len(texts), BATCH)
        ]
        probabilities = np.concatenate(parts)
        return probabilities.argmax(axis=1), probabilities.max(axis=1)


def parse_arguments(description: str | None) -> argparse.Namespace:
    """The command line of every competitor: catalogue, output, model and column."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("catalogue", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="a version folder")
    parser.add_argument("--column", required=True)
    return parser.parse_args()
