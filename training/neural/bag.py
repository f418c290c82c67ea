"""The linear models as a Keras model: TF-IDF of the whole text, one weight matrix, one kernel."""

import keras
import numpy as np
import tensorflow as tf

from training.ensemble.linear_models import LinearModels
from training.features.vectoriser import RESERVED
from training.neural.layers import Tensor, WordVectors

PAIRS = "pairs"


class Pairs(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int32 [N, T] → the distinct known words of each row as pairs: row [P], word [P], value [P].

    The value is TF-IDF, (1 + ln count) x idf, each row of length 1. The pairs are sparse: a text has
    about a hundred of twenty thousand words. Weight: the idf, float32 [tokens].
    """

    def __init__(self, tokens: int) -> None:
        super().__init__(name=PAIRS, trainable=False)
        self.tokens = tokens

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        self.idf = self.add_weight(shape=(self.tokens,), initializer="ones", name="idf")

    def call(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Padding and unknown tokens get weight 0, which is cheaper than filtering them.
        known = np.ones(self.tokens, np.float32)
        known[:RESERVED] = 0.0
        counts = tf.sparse.bincount(tokens, axis=-1)
        row, word = counts.indices[:, 0], counts.indices[:, 1]
        value = (1.0 + tf.math.log(tf.cast(counts.values, tf.float32))) * tf.gather(
            self.idf * known, word
        )
        rows = tf.shape(tokens, out_type=tf.int64)[0]
        length = tf.sqrt(tf.math.unsorted_segment_sum(value * value, row, rows))
        return row, word, tf.math.divide_no_nan(value, tf.gather(length, row))


class Bag(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Scores float32 [N, K] of collapsed linear models, from a batch's tokens and their pairs.

    Without centres the graph has no kernel.
    """

    def __init__(self, models: LinearModels, words: WordVectors) -> None:
        super().__init__(name="bag", trainable=False)
        (self._member,) = models.members.values()
        self._models = models
        self._words = words

    def build(self, _input_shape: object) -> None:
        self.word = self._constant("word", self._member.word, "float32")
        self.bias = self._constant("bias", self._member.bias, "float32")
        if len(self._models.centres):
            self.alpha = self._constant("alpha", self._member.alpha, "float32")
            self.mean = self._constant("mean", self._models.mean, "float32")
            self.centres = self._constant("centres", self._models.centres, "float16")

    def _constant(self, name: str, values: Tensor, dtype: str) -> Tensor:
        array = np.asarray(values, dtype=dtype)
        weight = self.add_weight(shape=array.shape, dtype=dtype, initializer="zeros", name=name)
        weight.assign(array)
        return weight

    def call(self, tokens: Tensor, row: Tensor, word: Tensor, value: Tensor) -> Tensor:
        rows = tf.shape(tokens, out_type=tf.int64)[0]

        def weighted_sum(table: Tensor) -> Tensor:
            chosen = tf.cast(tf.gather(table, word), tf.float32)
            return tf.math.unsorted_segment_sum(value[:, None] * chosen, row, rows)

        scores = weighted_sum(self.word) + self.bias
        if not len(self._models.centres):
            return scores
        document = _unit(_unit(weighted_sum(self._words.table)) - self.mean)
        cosine = tf.matmul(document, tf.cast(self.centres, tf.float32), transpose_b=True)
        near = tf.exp(-self._models.gamma * (2.0 - 2.0 * cosine))
        return scores + tf.matmul(near, self.alpha)


def bag_model(models: LinearModels, idf: Tensor, words: WordVectors) -> keras.Model:
    """Keras model: int32 tokens [N, T] → scores float32 [N, K] of collapsed linear models."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    pairs = Pairs(len(idf))
    row, word, value = pairs(inputs)
    pairs.set_weights([idf])
    return keras.Model(inputs, Bag(models, words)(inputs, row, word, value), name="bag")


def _unit(rows: Tensor) -> Tensor:
    length = tf.sqrt(tf.reduce_sum(rows * rows, axis=-1, keepdims=True))
    return tf.math.divide_no_nan(rows, length)
