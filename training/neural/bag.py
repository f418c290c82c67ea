"""The experts in the graph: TF-IDF of the whole text, one weight matrix, one kernel."""

import keras
import numpy as np
import tensorflow as tf

from training.ensemble.linear_models import LinearModels, Member
from training.features.vectoriser import RESERVED
from training.neural.layers import Tensor, WordVectors

PAIRS = "pairs"


class Pairs(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int32 [N, T] → the rows' distinct known words as pairs: row [P], word [P], value [P].

    The value is TF-IDF, (1 + ln count) x idf, each row of length 1. Sparse, because a text holds a
    hundred of twenty thousand words. Weight: the idf, float32 [tokens].
    """

    def __init__(self, tokens: int) -> None:
        super().__init__(name=PAIRS, trainable=False)
        self.tokens = tokens

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        self.idf = self.add_weight(shape=(self.tokens,), initializer="ones", name="idf")

    def call(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Padding and unknown are counted and weigh nothing, which is cheaper than leaving them out.
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
    """A collapsed member's scores float32 [N, K] from tokens [N, T] and their pairs."""

    def __init__(self, experts: LinearModels, member: Member, words: WordVectors) -> None:
        super().__init__(name="bag", trainable=False)
        self._experts = experts
        self._member = member
        self._words = words

    def build(self, _input_shape: object) -> None:
        self.word = self._constant("word", self._member.word, "float32")
        self.bias = self._constant("bias", self._member.bias, "float32")
        self.alpha = self._constant("alpha", self._member.alpha, "float32")
        self.mean = self._constant("mean", self._experts.mean, "float32")
        self.centres = self._constant("centres", self._experts.centres, "float16")

    def _constant(self, name: str, values: Tensor, dtype: str) -> Tensor:
        array = np.asarray(values, dtype=dtype)
        weight = self.add_weight(shape=array.shape, dtype=dtype, initializer="zeros", name=name)
        weight.assign(array)
        return weight

    def call(self, tokens: Tensor, row: Tensor, word: Tensor, value: Tensor) -> Tensor:
        rows = tf.shape(tokens, out_type=tf.int64)[0]

        def summed(table: Tensor) -> Tensor:
            chosen = tf.cast(tf.gather(table, word), tf.float32)
            return tf.math.unsorted_segment_sum(value[:, None] * chosen, row, rows)

        document = _unit(_unit(summed(self._words.table)) - self.mean)
        cosine = tf.matmul(document, tf.cast(self.centres, tf.float32), transpose_b=True)
        near = tf.exp(-self._experts.gamma * (2.0 - 2.0 * cosine))
        return summed(self.word) + tf.matmul(near, self.alpha) + self.bias


def bag_model(
    experts: LinearModels, member: Member, idf: Tensor, words: WordVectors
) -> keras.Model:
    """int32 tokens [N, T] → scores float32 [N, K]."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    pairs = Pairs(len(idf))
    row, word, value = pairs(inputs)
    pairs.set_weights([idf])
    return keras.Model(inputs, Bag(experts, member, words)(inputs, row, word, value), name="bag")


def _unit(rows: Tensor) -> Tensor:
    length = tf.sqrt(tf.reduce_sum(rows * rows, axis=-1, keepdims=True))
    return tf.math.divide_no_nan(rows, length)
