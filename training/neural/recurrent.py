"""One recurrent layer read to its end: ``lstm`` and ``gru``."""

import keras

from training.neural.graph_inputs import Shape, finish, start
from training.neural.layers import MaskedMax, WordVectors


def lstm(shape: Shape, words: WordVectors) -> keras.Model:
    """A single LSTM; its states' maximum over time is classified."""
    return _recurrent(shape, words, keras.layers.LSTM, "lstm")


def gru(shape: Shape, words: WordVectors) -> keras.Model:
    """A single GRU; its states' maximum over time is classified."""
    return _recurrent(shape, words, keras.layers.GRU, "gru")


def _recurrent(
    shape: Shape,
    words: WordVectors,
    cell: type[keras.layers.LSTM] | type[keras.layers.GRU],
    name: str,
) -> keras.Model:
    begun = start(shape, words)
    # use_cudnn=False: a CuDNN node would tie the exported graph to one maker's GPU.
    layer = cell(shape.settings.units, return_sequences=True, use_cudnn=False, name=name)
    states = layer(begun.embedded, mask=begun.mask)
    # The maximum, not the last state: 300 tokens on, the beginning is forgotten.
    return finish(shape, begun, MaskedMax(name="max")(states, begun.mask))
