"""Tensors of the wire to numpy arrays and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graft import errors
from graft.v1 import tensor_pb2

#: Any numeric array.
Array = NDArray[Any]

# numpy has no bfloat16: it is read as the upper halves of float32 values.
_WIRE_TYPES: dict[int, np.dtype[Any]] = {
    tensor_pb2.DATA_TYPE_F32: np.dtype("<f4"),
    tensor_pb2.DATA_TYPE_F16: np.dtype("<f2"),
    tensor_pb2.DATA_TYPE_BF16: np.dtype("<u2"),
}


def decode(tensor: tensor_pb2.Tensor) -> Array:
    """Returns float32 for F32 and BF16 (exact), float16 for F16."""
    dtype = _WIRE_TYPES.get(tensor.data_type)
    if dtype is None:
        raise errors.corrupt(f"A tensor came with data type {tensor.data_type}.")
    shape = tuple(tensor.shape)
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(tensor.data):
        raise errors.corrupt(f"A tensor of shape {shape} and {dtype} came with {len(tensor.data)} bytes.")
    values = np.frombuffer(tensor.data, dtype).reshape(shape)
    return widen_bfloat16(values) if tensor.data_type == tensor_pb2.DATA_TYPE_BF16 else values


def encode(values: Array) -> tensor_pb2.Tensor:
    """Sends float16 as F16 and everything else as F32."""
    half = values.dtype == np.float16
    data_type = tensor_pb2.DATA_TYPE_F16 if half else tensor_pb2.DATA_TYPE_F32
    return tensor_pb2.Tensor(
        data_type=data_type,
        shape=values.shape,
        data=values.astype(_WIRE_TYPES[data_type], order="C").tobytes(),
    )


def widen_bfloat16(upper_halves: Array) -> NDArray[np.float32]:
    """Bit patterns of bfloat16 values (uint16) to float32, exactly."""
    widened: NDArray[np.float32] = (upper_halves.astype("<u4") << 16).view("<f4")
    return widened
