from __future__ import annotations

import json

import numpy as np
import pytest
from fake_worker import floats

import graft
from graft import safetensors
from graft.extraction import Reader
from graft.files import CHUNK_BYTES, Assembly, cut
from graft.tensors import Array, decode
from graft.v1 import extract_pb2, features_pb2, tensor_pb2


def test_chunks_of_a_file_give_the_file() -> None:
    content = bytes(range(256)) * 3000
    chunks = list(cut(content))
    assert [len(chunk.data) for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, len(content) - 2 * CHUNK_BYTES]
    assembly = Assembly("test")
    assert [assembly.add(chunk) for chunk in chunks] == [None, None, content]


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([(1, 4, b"ab")], "a chunk at 1 came after 0 bytes"),
        ([(0, 4, b"ab"), (3, 4, b"b")], "a chunk at 3 came after 2 bytes"),
        ([(0, 4, b"ab"), (2, 5, b"cd")], "one of its chunks says 5 bytes, those before 4"),
        ([(0, 4, b"abcde")], "5 bytes came for a file of 4"),
    ],
)
def test_broken_chunks_are_refused(chunks: list[tuple[int, int, bytes]], message: str) -> None:
    assembly = Assembly("test")
    messages = [tensor_pb2.FileChunk(offset=offset, total_bytes=total, data=data) for offset, total, data in chunks]
    with pytest.raises(graft.DataLoss, match=message):
        list(map(assembly.add, messages))


def test_malformed_tensors_are_refused() -> None:
    for shape, data in (([2], b"1234"), ([-1], b""), ([1, 2], b"123456789")):
        with pytest.raises(graft.DataLoss):
            decode(tensor_pb2.Tensor(data_type=tensor_pb2.DATA_TYPE_F32, shape=shape, data=data))
    with pytest.raises(graft.DataLoss):
        decode(tensor_pb2.Tensor(shape=[0]))


def test_safetensors_round_trip() -> None:
    tensors: dict[str, Array] = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": floats([7]),
        "empty": np.zeros((0, 2)),
    }
    read = safetensors.parse(safetensors.serialize(tensors))
    assert list(read) == ["a", "b", "empty"]
    for name, values in tensors.items():
        np.testing.assert_array_equal(read[name], values)


def test_bfloat16_is_widened() -> None:
    read = safetensors.parse(_file({"x": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, b"\x80\x3f\x40\xc0"))
    np.testing.assert_array_equal(read["x"], floats([1, -3]))


_X = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        b"\x02\0\0\0\0\0\0\0{",
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"\xff\xfe",
        (47 * 2 + 1).to_bytes(8, "little"),
    ],
)
def test_broken_safetensors_headers_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        safetensors.parse(content)


@pytest.mark.parametrize(
    ("entry", "data"),
    [
        ({**_X, "data_offsets": [4, 8]}, b"12345678"),
        ({**_X, "data_offsets": [0, 8]}, b"12345678"),
        ({**_X, "data_offsets": [-4, 0]}, b""),
        ({**_X, "data_offsets": [0]}, b""),
        ({**_X, "shape": [-1]}, b"1234"),
        ({**_X, "shape": [2**62]}, b"1234"),
        ({**_X, "shape": "1"}, b"1234"),
        ({**_X, "dtype": "F99"}, b"1234"),
        (_X, b"123"),
        (_X, b"12345"),
        ("text", b""),
    ],
)
def test_lying_safetensors_entries_are_refused(entry: object, data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        safetensors.parse(_file({"x": entry}, data))


def test_overlapping_and_repeated_tensors_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot lie"):
        safetensors.parse(_file({"x": _X, "y": _X}, b"1234"))
    text = f'{{"x": {json.dumps(_X)}, "x": {json.dumps(_X)}}}'.encode()
    with pytest.raises(ValueError, match="twice"):
        safetensors.parse(len(text).to_bytes(8, "little") + text + b"1234")


@pytest.mark.parametrize("parts", [[(0, 2), (0, 2)], [(0, 3), (3, 3)], [(1, 2), (3, 2)], [(0, 2)]])
def test_rows_that_do_not_fit_their_item_are_refused(parts: list[tuple[int, int]]) -> None:
    ready = extract_pb2.ExtractReady(features=features_pb2.FeatureSpec(pooling=features_pb2.POOLING_NONE))
    responses = [extract_pb2.ExtractResponse(ready=ready)] + [
        extract_pb2.ExtractResponse(
            results=extract_pb2.ResultBatch(
                results=[
                    extract_pb2.ItemResult(
                        first_row=first,
                        tokens=4,
                        features=tensor_pb2.Tensor(
                            data_type=tensor_pb2.DATA_TYPE_F32, shape=[count, 1], data=bytes(4 * count)
                        ),
                    )
                ]
            )
        )
        for first, count in parts
    ]
    with pytest.raises(graft.DataLoss):
        list(Reader().results(responses))


def _file(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data
