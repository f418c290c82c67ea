"""Texts and probabilities as TensorFlow's TensorProto messages, without TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from worker.protos.tensorflow.core.framework import tensor_pb2, types_pb2

Probabilities = npt.NDArray[np.float32]


def fill_texts(tensor: tensor_pb2.TensorProto, texts: Sequence[str]) -> None:
    """Fill `tensor` with the texts as UTF-8: a string tensor of shape [N].

    A lone surrogate, which UTF-8 cannot encode, becomes `?`: one character must not fail a batch.
    """
    tensor.dtype = types_pb2.DT_STRING
    tensor.tensor_shape.dim.add().size = len(texts)
    tensor.string_val.extend(text.encode("utf-8", "replace") for text in texts)


def to_floats(tensor: tensor_pb2.TensorProto) -> Probabilities:
    """Return a tensor as a float32 array of its shape, possibly a read-only view of the message.

    Raises:
        ValueError: not a float tensor, or its values do not fill its shape.
    """
    if tensor.dtype != types_pb2.DT_FLOAT:
        raise ValueError(f"expected a float32 tensor, got data type {tensor.dtype}")
    shape = _shape(tensor)
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype="<f4").reshape(shape)
    # TensorFlow Serving sends one field per value and may omit a trailing run of equal values.
    size, count = math.prod(shape), len(tensor.float_val)
    values = np.empty(size, dtype=np.float32)
    if count > size or (count == 0 and size > 0):
        raise ValueError(f"{count} values for a tensor of shape {shape}")
    values[:count] = tensor.float_val
    if count < size:
        values[count:] = values[count - 1]
    return values.reshape(shape)


def to_bytes(tensor: tensor_pb2.TensorProto) -> list[bytes]:
    """Return the values of a string tensor, in order.

    Raises:
        ValueError: not a string tensor.
    """
    if tensor.dtype != types_pb2.DT_STRING:
        raise ValueError(f"expected a string tensor, got data type {tensor.dtype}")
    return list(tensor.string_val)


def _shape(tensor: tensor_pb2.TensorProto) -> tuple[int, ...]:
    return tuple(dim.size for dim in tensor.tensor_shape.dim)
