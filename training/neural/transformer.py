"""One block of self-attention: what a recurrent model has to beat."""

import keras

from training.neural.graph_inputs import Shape, finish, start
from training.neural.layers import MaskedMax, MaskedMean, SinePositions, WordVectors


def transformer(shape: Shape, words: WordVectors) -> keras.Model:
    """Positions, one pre-normalised encoder block, maximum and mean over time."""
    settings = shape.settings
    begun = start(shape, words)
    width = 2 * settings.units
    states = SinePositions(name="positions")(
        keras.layers.Dense(width, name="widen")(begun.embedded)
    )
    normal = keras.layers.LayerNormalization(name="attention_norm")(states)
    attended = keras.layers.MultiHeadAttention(
        settings.heads,
        max(1, width // settings.heads),
        dropout=0.1,
        flash_attention=False,
        seed=shape.seed + 4,
        name="self_attention",
    )(normal, normal, key_mask=begun.mask)
    states = keras.layers.Add(name="attention_sum")([states, attended])
    normal = keras.layers.LayerNormalization(name="feed_norm")(states)
    fed = keras.layers.Dense(2 * width, activation="gelu", name="feed_in")(normal)
    fed = keras.layers.Dense(width, name="feed_out")(fed)
    states = keras.layers.Add(name="feed_sum")([states, fed])
    pooled = keras.layers.Concatenate(name="pooled")(
        [
            MaskedMax(name="max")(states, begun.mask),
            MaskedMean(name="mean")(states, begun.mask),
        ]
    )
    return finish(shape, begun, pooled)
