"""One recurrent layer with maximum pooling: ``lstm`` and ``gru``."""

import keras

from training.neural.architectures.inputs_and_head import ModelShape, build_head, build_inputs
from training.neural.layers import MaskedMax, WordVectors


def lstm(shape: ModelShape, words: WordVectors) -> keras.Model:
    """A single LSTM and the maximum of its states over time."""
    return _recurrent(shape, words, keras.layers.LSTM, "lstm")


def gru(shape: ModelShape, words: WordVectors) -> keras.Model:
    """A single GRU and the maximum of its states over time."""
    return _recurrent(shape, words, keras.layers.GRU, "gru")


def _recurrent(
    shape: ModelShape,
    words: WordVectors,
    cell: type[keras.layers.LSTM] | type[keras.layers.GRU],
    name: str,
) -> keras.Model:
    inputs = build_inputs(shape, words)
    # use_cudnn=False: a CuDNN operation would tie the exported graph to NVIDIA GPUs.
    layer = cell(shape.settings.units, return_sequences=True, use_cudnn=False, name=name)
    states = layer(inputs.embedded, mask=inputs.mask)
    # The maximum, not the last state: after 300 tokens the state has lost the beginning.
    return build_head(shape, inputs, MaskedMax(name="max")(states, inputs.mask))
