"""Small layers that the architectures share. All of them ignore token 0, which is padding.

They consist of portable operations, so that an exported graph runs on any server.
"""

from typing import Any, TypeAlias

import keras
from keras import ops

from training.features.vectoriser import PADDING, UNKNOWN

Tensor: TypeAlias = Any  # a Keras tensor, symbolic or not


class _Masked(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """A layer that takes its mask as an argument and does not propagate one."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self.supports_masking = True

    def compute_mask(self, *_inputs: Tensor, **_masks: Tensor) -> None:
        """Return no mask: after pooling there is no time axis."""


class TokenMask(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int [N, T] → bool [N, T], true where there is a token.

    The first column is always true, so that a row without tokens is one padding vector and poolings
    do not divide by zero.
    """

    def call(self, tokens: Tensor) -> Tensor:
        present = ops.not_equal(tokens, PADDING)
        first = ops.equal(ops.arange(ops.shape(tokens)[1]), 0)
        return ops.logical_or(present, first[None, :])


class Truncate(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int [N, T] → int [N, min(T, length)]."""

    def __init__(self, length: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.length = length

    def call(self, tokens: Tensor) -> Tensor:
        return tokens[:, : self.length]


class WordVectors(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """int [N, T] → float32 [N, T, D]: frozen word2vec, as unit vectors and their lengths.

    One float16 table serves the sequence model and the linear models; it is most of a model's size.
    Frozen, because 2,000 rows are too few to train 20,000 vectors: trained tables were no better.
    """

    def __init__(self, tokens: int, dimensions: int) -> None:
        super().__init__(name="word_vectors", trainable=False)
        self.tokens = tokens
        self.dimensions = dimensions

    def build(self, _input_shape: object) -> None:
        self.table = self.add_weight(
            shape=(self.tokens, self.dimensions),
            initializer="zeros",
            dtype="float16",
            name="table",
        )
        self.length = self.add_weight(shape=(self.tokens,), initializer="zeros", name="length")

    def call(self, tokens: Tensor) -> Tensor:
        unit = ops.cast(ops.take(self.table, tokens, axis=0), "float32")
        return unit * ops.take(self.length, tokens)[..., None]


class WordDropout(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Replaces a share of the tokens by the unknown token, in training only."""

    def __init__(self, rate: float, seed: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.rate = rate
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, tokens: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0.0:
            return tokens
        dropped = keras.random.uniform(ops.shape(tokens), seed=self.seeds) < self.rate
        dropped = ops.logical_and(dropped, ops.not_equal(tokens, PADDING))
        return ops.where(dropped, ops.cast(UNKNOWN, tokens.dtype), tokens)


class MaskedMean(_Masked):
    """float [N, T, D] and its mask [N, T] → [N, D]."""

    def call(self, states: Tensor, mask: Tensor) -> Tensor:
        weights = ops.cast(mask, states.dtype)[:, :, None]
        return ops.sum(states * weights, axis=1) / ops.sum(weights, axis=1)


class MaskedMax(_Masked):
    """float [N, T, D] and its mask [N, T] → [N, D]."""

    def call(self, states: Tensor, mask: Tensor) -> Tensor:
        return ops.max(ops.where(mask[:, :, None], states, -1e9), axis=1)


class AttentionPooling(_Masked):
    """float [N, T, D] and its mask [N, T] → [N, D]: a learned query weights the positions."""

    def __init__(self, units: int, name: str | None = None) -> None:
        super().__init__(name=name)
        self.project = keras.layers.Dense(units, activation="tanh", name="project")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.project.build(input_shape)
        self.score.build((*input_shape[:-1], self.project.units))
        super().build(input_shape)

    def call(self, states: Tensor, mask: Tensor) -> Tensor:
        return ops.sum(states * self.attention_weights(states, mask)[:, :, None], axis=1)

    def attention_weights(self, states: Tensor, mask: Tensor) -> Tensor:
        """float [N, T], each row summing to 1 over its tokens."""
        scores = self.score(self.project(states))[:, :, 0]
        return ops.softmax(ops.where(mask, scores, -1e9), axis=1)


class SinePositions(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Sinusoidal position encoding, added to the states: [N, T, D] → [N, T, D]."""

    def call(self, states: Tensor) -> Tensor:
        length, width = ops.shape(states)[1], states.shape[-1]
        half = (width + 1) // 2
        position = ops.cast(ops.arange(length), "float32")[:, None]
        rate = ops.exp(ops.arange(half, dtype="float32") * (-9.21034 / half))[None, :]
        waves = ops.concatenate([ops.sin(position * rate), ops.cos(position * rate)], axis=1)
        return states + 0.1 * waves[None, :, :width]
