"""Model architectures, chosen by name."""

from training.neural.registry import ARCHITECTURES, build_model

__all__ = ["ARCHITECTURES", "build_model"]
