"""One block of self-attention, to compare recurrent models with."""

import keras

from training.neural.architectures.inputs_and_head import ModelShape, build_head, build_inputs
from training.neural.layers import MaskedMax, MaskedMean, SinePositions, WordVectors


def transformer(shape: ModelShape, words: WordVectors) -> keras.Model:
    """Positions, one pre-normalised encoder block, maximum and mean over time."""
    settings = shape.settings
    inputs = build_inputs(shape, words)
    width = 2 * settings.units
    states = SinePositions(name="positions")(
        keras.layers.Dense(width, name="widen")(inputs.embedded)
    )
    normal = keras.layers.LayerNormalization(name="attention_norm")(states)
    attended = keras.layers.MultiHeadAttention(
        settings.heads,
        max(1, width // settings.heads),
        dropout=0.1,
        flash_attention=False,
        seed=shape.seed + 4,
        name="self_attention",
    )(normal, normal, key_mask=inputs.mask)
    states = keras.layers.Add(name="attention_sum")([states, attended])
    normal = keras.layers.LayerNormalization(name="feed_norm")(states)
    fed = keras.layers.Dense(2 * width, activation="gelu", name="feed_in")(normal)
    fed = keras.layers.Dense(width, name="feed_out")(fed)
    states = keras.layers.Add(name="feed_sum")([states, fed])
    pooled = keras.layers.Concatenate(name="pooled")(
        [
            MaskedMax(name="max")(states, inputs.mask),
            MaskedMean(name="mean")(states, inputs.mask),
        ]
    )
    return build_head(shape, inputs, pooled)
