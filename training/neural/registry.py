"""The sequence architectures by name; a new one is a function and a line here."""

from collections.abc import Callable

import keras

from training.errors import TrainingError
from training.neural.bilstm_attention import bilstm_attention
from training.neural.graph_inputs import Shape
from training.neural.layers import WordVectors
from training.neural.recurrent import gru, lstm
from training.neural.transformer import transformer

ARCHITECTURES: dict[str, Callable[[Shape, WordVectors], keras.Model]] = {
    "lstm": lstm,
    "gru": gru,
    "bilstm_attention": bilstm_attention,
    "transformer": transformer,
}


def check_architecture(name: str) -> None:
    """Raises: TrainingError: no architecture has this name; the sentence lists those that are."""
    if name not in ARCHITECTURES:
        raise TrainingError(
            f"'model.architecture' is '{name}', which is unknown; "
            f"choose one of {', '.join(sorted(ARCHITECTURES))}."
        )


def build_model(shape: Shape, words: WordVectors) -> keras.Model:
    """An untrained model: int32 tokens [N, T] (0 pads) → float32 scores [N, classes].

    Raises:
        TrainingError: the architecture is unknown.
    """
    check_architecture(shape.architecture)
    return ARCHITECTURES[shape.architecture](shape, words)
