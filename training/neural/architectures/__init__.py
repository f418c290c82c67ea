"""The sequence architectures, chosen by name."""

from training.neural.architectures.registry import ARCHITECTURES, build_model

__all__ = ["ARCHITECTURES", "build_model"]
