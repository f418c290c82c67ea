"""The first and last layers, which all architectures share."""

from dataclasses import dataclass

import keras

from training.config import ModelConfig
from training.neural.layers import TokenMask, Truncate, WordDropout, WordVectors

EMBEDDING_LAYER = "word_vectors"


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """The sizes of a model."""

    architecture: str
    tokens: int  # vocabulary, padding and unknown
    dimensions: int  # columns of the embedding
    classes: int
    max_tokens: int
    settings: ModelConfig
    seed: int


@dataclass(frozen=True, kw_only=True)
class GraphInputs:
    """Inputs of the graph and the embedded tokens."""

    tokens: keras.KerasTensor  # int32 [N, any number of tokens]
    embedded: keras.KerasTensor  # float32 [N, T, dimensions], T at most max_tokens
    mask: keras.KerasTensor  # bool [N, T]


def build_inputs(shape: ModelShape, words: WordVectors) -> GraphInputs:
    """Build the layers from tokens to word vectors."""
    settings = shape.settings
    inputs = keras.Input((None,), dtype="int32", name="tokens")
    tokens = Truncate(shape.max_tokens, name="truncate")(inputs)
    mask = TokenMask(name="token_mask")(tokens)
    tokens = WordDropout(settings.word_dropout, shape.seed, name="word_dropout")(tokens)
    embedded = words(tokens)
    # One dimension for the whole text: single dropped numbers would average out over it.
    embedded = keras.layers.SpatialDropout1D(
        settings.embedding_dropout, seed=shape.seed + 1, name="embedding_dropout"
    )(embedded)
    return GraphInputs(tokens=inputs, embedded=embedded, mask=mask)


def build_head(shape: ModelShape, inputs: GraphInputs, pooled: keras.KerasTensor) -> keras.Model:
    """Build the layers from pooled features float32 [N, any] to logits float32 [N, classes]."""
    settings = shape.settings
    penalty = keras.regularizers.L2(settings.l2) if settings.l2 else None
    features = keras.layers.Dropout(settings.dropout, seed=shape.seed + 2, name="dropout")(pooled)
    if settings.hidden:
        features = keras.layers.Dense(
            settings.hidden, activation="relu", kernel_regularizer=penalty, name="hidden"
        )(features)
        features = keras.layers.Dropout(
            settings.dropout, seed=shape.seed + 3, name="hidden_dropout"
        )(features)
    logits = keras.layers.Dense(shape.classes, kernel_regularizer=penalty, name="logits")(features)
    return keras.Model(inputs.tokens, logits, name=shape.architecture)
