"""The sequence architectures by name. A new one is a function and a line here."""

from collections.abc import Callable

import keras

from training.errors import TrainingError
from training.neural.architectures.bilstm_attention import bilstm_attention
from training.neural.architectures.inputs_and_head import ModelShape
from training.neural.architectures.recurrent import gru, lstm
from training.neural.architectures.transformer import transformer
from training.neural.layers import WordVectors

ARCHITECTURES: dict[str, Callable[[ModelShape, WordVectors], keras.Model]] = {
    "lstm": lstm,
    "gru": gru,
    "bilstm_attention": bilstm_attention,
    "transformer": transformer,
}


def check_architecture(name: str) -> None:
    """Raises: TrainingError: no architecture has this name; the message lists the names."""
    if name not in ARCHITECTURES:
        raise TrainingError(
            f"'model.architecture' is '{name}', which is unknown; "
            f"choose one of {', '.join(sorted(ARCHITECTURES))}."
        )


def build_model(shape: ModelShape, words: WordVectors) -> keras.Model:
    """Build an untrained model: int32 tokens [N, T] (0: padding) → float32 scores [N, classes].

    Raises:
        TrainingError: the architecture is unknown.
    """
    check_architecture(shape.architecture)
    return ARCHITECTURES[shape.architecture](shape, words)
