"""An LSTM in each direction; attention, maximum and mean over time are classified together."""

import keras

from training.neural.graph_inputs import Shape, finish, start
from training.neural.layers import AttentionPooling, MaskedMax, MaskedMean, WordVectors


def bilstm_attention(shape: Shape, words: WordVectors) -> keras.Model:
    """The three poolings see different things: one telling word, any telling word, the tone."""
    begun = start(shape, words)
    layer = keras.layers.Bidirectional(
        keras.layers.LSTM(shape.settings.units, return_sequences=True, use_cudnn=False),
        name="bilstm",
    )
    states = layer(begun.embedded, mask=begun.mask)
    pooled = keras.layers.Concatenate(name="pooled")(
        [
            AttentionPooling(shape.settings.units, name="attention")(states, begun.mask),
            MaskedMax(name="max")(states, begun.mask),
            MaskedMean(name="mean")(states, begun.mask),
        ]
    )
    return finish(shape, begun, pooled)
