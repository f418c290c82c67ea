"""The linear models as a Keras model: TF-IDF of the whole text, one weight matrix, one kernel."""

import keras
import numpy as np
import tensorflow as tf

from training.ensemble.linear_models import LinearModels
from training.features.vectoriser import RESERVED
from training.neural.layers import Tensor, WordVectors

TFIDF_LAYER = "sparse_tfidf"


class SparseTfidf(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int32 [N, T] → TF-IDF of each row's distinct words as triples: row [P], word [P], value [P].

    The value is (1 + ln count) x idf, each row scaled to length 1. Sparse, because a text has about
    a hundred of twenty thousand words. Weight: the idf, float32 [tokens].
    """

    def __init__(self, tokens: int) -> None:
        super().__init__(name=TFIDF_LAYER, trainable=False)
        self.tokens = tokens

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        self.idf = self.add_weight(shape=(self.tokens,), initializer="ones", name="idf")

    def call(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Padding and unknown tokens get the value 0, which is cheaper than filtering them.
        is_word = np.ones(self.tokens, np.float32)
        is_word[:RESERVED] = 0.0
        counts = tf.sparse.bincount(tokens, axis=-1)
        row, word = counts.indices[:, 0], counts.indices[:, 1]
        value = (1.0 + tf.math.log(tf.cast(counts.values, tf.float32))) * tf.gather(
            self.idf * is_word, word
        )
        rows = tf.shape(tokens, out_type=tf.int64)[0]
        length = tf.sqrt(tf.math.unsorted_segment_sum(value * value, row, rows))
        return row, word, tf.math.divide_no_nan(value, tf.gather(length, row))


class LinearScores(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Scores float32 [N, K] of collapsed linear models, from tokens and their sparse TF-IDF.

    Without centres the graph has no kernel.
    """

    def __init__(self, models: LinearModels, words: WordVectors) -> None:
        super().__init__(name="linear_scores", trainable=False)
        (self._member,) = models.members.values()
        self._models = models
        self._words = words

    def build(self, _input_shape: object) -> None:
        self.word_weights = self._constant("word_weights", self._member.word_weights, "float32")
        self.bias = self._constant("bias", self._member.bias, "float32")
        if len(self._models.centres):
            self.dual_coefficients = self._constant(
                "dual_coefficients", self._member.dual_coefficients, "float32"
            )
            self.mean_vector = self._constant("mean_vector", self._models.mean_vector, "float32")
            self.centres = self._constant("centres", self._models.centres, "float16")

    def _constant(self, name: str, values: Tensor, dtype: str) -> Tensor:
        array = np.asarray(values, dtype=dtype)
        weight = self.add_weight(shape=array.shape, dtype=dtype, initializer="zeros", name=name)
        weight.assign(array)
        return weight

    def call(self, tokens: Tensor, row: Tensor, word: Tensor, value: Tensor) -> Tensor:
        rows = tf.shape(tokens, out_type=tf.int64)[0]

        def weighted_sum(table: Tensor) -> Tensor:
            entries = tf.cast(tf.gather(table, word), tf.float32)
            return tf.math.unsorted_segment_sum(value[:, None] * entries, row, rows)

        scores = weighted_sum(self.word_weights) + self.bias
        if not len(self._models.centres):
            return scores
        document = _unit_rows(_unit_rows(weighted_sum(self._words.table)) - self.mean_vector)
        cosine = tf.matmul(document, tf.cast(self.centres, tf.float32), transpose_b=True)
        kernel = tf.exp(-self._models.gamma * (2.0 - 2.0 * cosine))
        return scores + tf.matmul(kernel, self.dual_coefficients)


def build_linear_model(models: LinearModels, idf: Tensor, words: WordVectors) -> keras.Model:
    """Build a Keras model of collapsed linear models: int32 tokens [N, T] → float32 [N, K]."""
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    layer = SparseTfidf(len(idf))
    row, word, value = layer(inputs)
    layer.set_weights([idf])
    scores = LinearScores(models, words)(inputs, row, word, value)
    return keras.Model(inputs, scores, name="linear_models")


def _unit_rows(rows: Tensor) -> Tensor:
    length = tf.sqrt(tf.reduce_sum(rows * rows, axis=-1, keepdims=True))
    return tf.math.divide_no_nan(rows, length)
