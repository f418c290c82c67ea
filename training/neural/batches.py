"""Padded batches of token rows of similar length."""

from collections.abc import Sequence

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from training.features.vectoriser import PADDING
from training.neural.imbalance import balanced_sample

Tokens = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Batch = tuple[Tokens, Floats, Floats]


class TrainingBatches:
    """Shuffled batches (tokens [B, T], targets [B, K], weights [B]).

    Epoch n depends on the seed and n only, so that a resumed training equals an uninterrupted one.
    Rows of similar length share a batch, up to noise, which saves padding.
    """

    def __init__(
        self,
        rows: Sequence[Tokens],
        targets: Floats,
        weights: Floats,
        *,
        batch_rows: int,
        seed: int,
        balanced: bool = False,
    ) -> None:
        self._rows = rows
        self._targets = targets
        self._weights = weights
        self._batch_rows = batch_rows
        self._seed = seed
        self._balanced = balanced
        self._batches: list[npt.NDArray[np.int64]] = []
        self.shuffle(epoch=0)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        chosen = self._batches[index]
        return (
            pad([self._rows[row] for row in chosen]),
            self._targets[chosen],
            self._weights[chosen],
        )

    def dataset(self) -> tf.data.Dataset:
        """The batches of the epoch that was shuffled last.

        Shapes are explicit, because Keras would infer them from the first batches, which may all
        have the same width.
        """
        classes = self._targets.shape[1]
        return tf.data.Dataset.from_generator(
            lambda: (self[index] for index in range(len(self))),
            output_signature=(
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None, classes], tf.float32),
                tf.TensorSpec([None], tf.float32),
            ),
        )

    def shuffle(self, epoch: int) -> None:
        """Build the batches of an epoch."""
        random = np.random.default_rng((self._seed, epoch))
        chosen = np.arange(len(self._rows))
        if self._balanced:
            chosen = balanced_sample(self._targets.argmax(axis=1), random)
        lengths = np.array([len(self._rows[int(row)]) for row in chosen])
        order = np.argsort(lengths * random.uniform(0.7, 1.3, len(chosen)), kind="stable")
        count = max(1, round(len(chosen) / self._batch_rows))
        batches = np.array_split(chosen[order], count)
        self._batches = [batches[index] for index in random.permutation(count)]


def pad(rows: Sequence[Tokens]) -> Tokens:
    """Token rows to one int32 [N, T] array, padded at the end; T is at least 1."""
    width = max(1, *(len(row) for row in rows))
    result = np.full((len(rows), width), PADDING, dtype=np.int32)
    for index, row in enumerate(rows):
        result[index, : len(row)] = row
    return result


def predict_logits(model: keras.Model, rows: Sequence[Tokens], batch_rows: int = 128) -> Floats:
    """Logits float32 [N, K] in the order of ``rows``, computed in batches of similar length."""
    order = np.argsort([len(row) for row in rows], kind="stable")
    result: Floats | None = None
    for begin in range(0, len(rows), batch_rows):
        chosen = order[begin : begin + batch_rows]
        logits = np.asarray(model.predict_on_batch(pad([rows[row] for row in chosen])))
        if result is None:
            result = np.zeros((len(rows), logits.shape[1]), dtype=np.float32)
        result[chosen] = logits
    if result is None:
        raise ValueError("no rows to predict")
    return result
