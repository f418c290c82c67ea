"""Conversion between TensorProto messages and numpy arrays, validated against a signature."""

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
    """Return the values to feed, by tensor name.

    Raises:
        InvalidRequest: names, data types or shapes do not match the signature.
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
    """Return the tensor name of each requested output; of all outputs if none is requested.

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
    """Return the message for one output. Numbers are sent as raw bytes, which decode fast."""
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
        # TensorFlow would repeat the last text until the shape is full: that hides client errors,
        # and a shape of billions would exhaust the memory.
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
