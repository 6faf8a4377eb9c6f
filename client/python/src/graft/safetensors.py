"""A reader and a writer of safetensors files. What is read is taken for hostile until it is proved sound."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from graft.tensors import Array, widen_bfloat16

_MAX_HEADER_BYTES = 100_000_000
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


def parse(content: bytes) -> dict[str, Array]:
    """Returns the file's tensors by name (BF16 widened to float32). Raises ValueError if it is not sound."""
    if len(content) < 8:
        raise ValueError(f"not a safetensors file: {len(content)} bytes are too few for a header")
    header_bytes = int.from_bytes(content[:8], "little")
    if header_bytes > min(_MAX_HEADER_BYTES, len(content) - 8):
        raise ValueError(f"not a safetensors file: it claims a header of {header_bytes} bytes")
    header = json.loads(content[8 : 8 + header_bytes].decode("utf-8"), object_pairs_hook=_without_repetition)
    if not isinstance(header, dict):
        raise ValueError("not a safetensors file: its header is not an object")
    header.pop("__metadata__", None)
    data = content[8 + header_bytes :]
    tensors: dict[str, Array] = {}
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _offsets(*item)):
        begin, next_end = _offsets(name, entry)
        dtype, shape = _DTYPES.get(entry.get("dtype")), entry.get("shape")
        if dtype is None:
            raise ValueError(f"tensor {name} has the unknown type {entry.get('dtype')}")
        if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"tensor {name} has the impossible shape {shape}")
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if begin != end or next_end - begin != size or next_end > len(data):
            raise ValueError(f"tensor {name} ({entry['dtype']} {shape}) cannot lie at bytes {begin} to {next_end}")
        values = np.frombuffer(data, dtype, math.prod(shape), begin).reshape(shape)
        tensors[name] = widen_bfloat16(values) if entry["dtype"] == "BF16" else values
        end = next_end
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the last tensor")
    return tensors


def serialize(tensors: Mapping[str, ArrayLike]) -> bytes:
    """Writes tensors as F32, sorted by name as the reference implementation does."""
    header: dict[str, Any] = {}
    data = bytearray()
    for name, values in sorted(tensors.items()):
        array = np.asarray(values, "<f4")
        part = array.tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(part)],
        }
        data += part
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(data)


def _offsets(name: str, entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(offsets, list) and len(offsets) == 2 and all(type(offset) is int for offset in offsets)):
        raise ValueError(f"tensor {name} has no proper data_offsets")
    return offsets[0], offsets[1]


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name occurs twice in the header")
    return entries
