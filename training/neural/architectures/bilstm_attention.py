"""A bidirectional LSTM with attention, maximum and mean pooling."""

import keras

from training.neural.architectures.inputs_and_head import ModelShape, build_head, build_inputs
from training.neural.layers import AttentionPooling, MaskedMax, MaskedMean, WordVectors


def bilstm_attention(shape: ModelShape, words: WordVectors) -> keras.Model:
    """The three poolings complement each other: the most telling words, any word, all words."""
    inputs = build_inputs(shape, words)
    layer = keras.layers.Bidirectional(
        keras.layers.LSTM(shape.settings.units, return_sequences=True, use_cudnn=False),
        name="bilstm",
    )
    states = layer(inputs.embedded, mask=inputs.mask)
    pooled = keras.layers.Concatenate(name="pooled")(
        [
            AttentionPooling(shape.settings.units, name="attention")(states, inputs.mask),
            MaskedMax(name="max")(states, inputs.mask),
            MaskedMean(name="mean")(states, inputs.mask),
        ]
    )
    return build_head(shape, inputs, pooled)
