"""TF-IDF inside the graph, and what is made of it."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from training.models.layers import Tensor
from training.vectoriser import RESERVED


class TfIdf(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int [N, T] → float32 [N, tokens]: (1 + ln count) x idf, rows of length 1 or zero.

    Its one weight is the idf, float32 [tokens]. Padding and the unknown token do not count.
    """

    def __init__(self, tokens: int, name: str | None = None) -> None:
        super().__init__(name=name, trainable=False)
        self.tokens = tokens
        known = np.ones(tokens, np.float32)
        known[:RESERVED] = 0.0
        self._known = known

    def build(self, _input_shape: tuple[int | None, ...]) -> None:
        self.idf = self.add_weight(shape=(self.tokens,), initializer="ones", name="idf")

    def call(self, tokens: Tensor) -> Tensor:
        # keras.ops.bincount cannot promise the width, which everything behind depends on.
        counts = tf.math.bincount(
            tokens, minlength=self.tokens, maxlength=self.tokens, axis=-1, dtype=tf.float32
        )
        counts = ops.reshape(counts, (-1, self.tokens))
        weighted = (ops.log(ops.maximum(counts, 1.0)) + ops.minimum(counts, 1.0)) * (
            self.idf * self._known
        )
        return _unit(weighted)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, int]:
        return (input_shape[0], self.tokens)


class DocumentVector(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """TF-IDF float32 [N, tokens] → float32 [N, dimensions]: weighted mean word vector.

    Centred on the mean of the rows it was made from and of length 1. Weights: the word vectors,
    in half precision if ``half``, and the mean.
    """

    def __init__(self, dimensions: int, half: bool, name: str | None = None) -> None:
        super().__init__(name=name, trainable=False)
        self.dimensions = dimensions
        self.storage = "float16" if half else "float32"

    def build(self, input_shape: tuple[int | None, int]) -> None:
        shape = (input_shape[-1], self.dimensions)
        self.vectors = self.add_weight(
            shape=shape, initializer="zeros", dtype=self.storage, name="vectors"
        )
        self.mean = self.add_weight(shape=(self.dimensions,), initializer="zeros", name="mean")

    def call(self, weights: Tensor) -> Tensor:
        return _unit(_unit(ops.matmul(weights, ops.cast(self.vectors, "float32"))) - self.mean)


class RadialBasis(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """float32 [N, D] of length 1 → float32 [N, rows]: exp(-gamma x squared distance) to each row.

    Its one weight is the rows, float32 [rows, D], of length 1 as well, so that the squared
    distance is 2 - 2 x their product.
    """

    def __init__(self, rows: int, gamma: float, name: str | None = None) -> None:
        super().__init__(name=name, trainable=False)
        self.rows = rows
        self.gamma = gamma

    def build(self, input_shape: tuple[int | None, int]) -> None:
        self.support = self.add_weight(
            shape=(self.rows, input_shape[-1]), initializer="zeros", name="support"
        )

    def call(self, vectors: Tensor) -> Tensor:
        nearness = ops.matmul(vectors, ops.transpose(self.support))
        return ops.exp(-self.gamma * (2.0 - 2.0 * nearness))


def _unit(rows: Tensor) -> Tensor:
    lengths = ops.sqrt(ops.sum(rows * rows, axis=-1, keepdims=True))
    return rows / ops.maximum(lengths, 1e-6)
