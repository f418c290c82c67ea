"""Between TensorProto messages and numpy arrays, checked against a signature."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import InvalidRequest

Array = npt.NDArray[Any]


def read_inputs(
    signature: meta_graph_pb2.SignatureDef, inputs: Mapping[str, tensor_pb2.TensorProto]
) -> dict[str, Array]:
    """The values to feed, by the name of the graph's tensor.

    Raises:
        InvalidRequest: names, data types or shapes are not the signature's.
    """
    if set(inputs) != set(signature.inputs):
        raise InvalidRequest(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)}"
            f" len({_names(inputs)}) != len({_names(signature.inputs)})."
            f" Sent extra: {_names(set(inputs) - set(signature.inputs))}."
            f" Missing but required: {_names(set(signature.inputs) - set(inputs))}."
        )
    return {info.name: _read(name, info, inputs[name]) for name, info in signature.inputs.items()}


def choose_outputs(
    signature: meta_graph_pb2.SignatureDef, output_filter: Iterable[str]
) -> dict[str, str]:
    """The graph's tensor name for each output that is asked for; all of them where none is named.

    Raises:
        InvalidRequest: an output is unknown or named twice.
    """
    chosen: dict[str, str] = {}
    for name in output_filter:
        if name not in signature.outputs:
            raise InvalidRequest(
                f"output tensor alias not found in signature: {name}"
                f" Outputs expected to be in the set {_names(signature.outputs)}."
            )
        if name in chosen:
            raise InvalidRequest(f"duplicate output tensor alias: {name}")
        chosen[name] = signature.outputs[name].name
    return chosen or {name: info.name for name, info in signature.outputs.items()}


def write_output(value: Array) -> tensor_pb2.TensorProto:
    """The message for one output; numbers go as raw bytes, which cost no time to read."""
    message: tensor_pb2.TensorProto = tf.make_tensor_proto(value)
    return message


def _read(name: str, info: meta_graph_pb2.TensorInfo, tensor: tensor_pb2.TensorProto) -> Array:
    if tensor.dtype != info.dtype:
        raise InvalidRequest(
            f'input "{name}" expects {_dtype_name(info.dtype)}, got {_dtype_name(tensor.dtype)}'
        )
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise InvalidRequest(f'input "{name}" has no definite shape')
    expected = tf.TensorShape(info.tensor_shape)
    if not expected.is_compatible_with(shape):
        raise InvalidRequest(f'input "{name}" expects shape {expected}, got {list(shape)}')
    if tensor.dtype == tf.string.as_datatype_enum:
        # TensorFlow would repeat the last text to fill the shape; a client that counts wrongly is
        # better told, and a shape of billions must not be filled.
        if len(tensor.string_val) != math.prod(shape):
            raise InvalidRequest(
                f'tensor parsing error: input "{name}" has {len(tensor.string_val)} values'
                f" for shape {list(shape)}"
            )
        texts = np.empty(len(tensor.string_val), dtype=object)
        texts[:] = tensor.string_val
        return texts.reshape(shape)
    try:
        array: Array = tf.make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f'tensor parsing error: input "{name}": {error}') from error
    return array


def _dtype_name(number: int) -> str:
    try:
        return str(tf.as_dtype(number).name)
    except TypeError:
        return f"unknown data type {number}"


def _names(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
