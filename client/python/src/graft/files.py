"""Files on the wire: cut into chunks on the way out, put together and checked on the way in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Union

from graft import errors
from graft.v1 import tensor_pb2

#: A file's content, or where it lies.
FileSource = Union[bytes, str, "os.PathLike[str]"]

CHUNK_BYTES = 256 * 1024


def read(source: FileSource) -> bytes:
    """Returns the content."""
    return source if isinstance(source, bytes) else Path(source).read_bytes()


def cut(content: bytes) -> Iterator[tensor_pb2.FileChunk]:
    """Yields the content's chunks, in order."""
    for offset in range(0, len(content), CHUNK_BYTES):
        yield tensor_pb2.FileChunk(offset=offset, total_bytes=len(content), data=content[offset : offset + CHUNK_BYTES])


class Assembly:
    """Puts one file together from its chunks."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._total: int | None = None
        self._content = bytearray()

    def add(self, chunk: tensor_pb2.FileChunk) -> bytes | None:
        """Adds the next chunk. Returns the file when it is complete."""
        if self._total is None:
            self._total = chunk.total_bytes
        if chunk.total_bytes != self._total:
            raise self._broken(f"one of its chunks says {chunk.total_bytes} bytes, those before {self._total}")
        if chunk.offset != len(self._content):
            raise self._broken(f"a chunk at {chunk.offset} came after {len(self._content)} bytes")
        self._content += chunk.data
        if len(self._content) > self._total:
            raise self._broken(f"{len(self._content)} bytes came for a file of {self._total}")
        return bytes(self._content) if len(self._content) == self._total else None

    def _broken(self, what: str) -> errors.DataLoss:
        return errors.corrupt(f"The {self._name} file did not arrive whole: {what}. Run the call again.")
