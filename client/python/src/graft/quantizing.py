"""One Quantize call: its events, and the files that it sends back."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Union

import grpc

from graft import errors
from graft.calls import Call, Stream
from graft.v1 import quantize_pb2, tensor_pb2

if TYPE_CHECKING:
    from graft.progress import QuantizingBar

_Call = Call[quantize_pb2.QuantizeRequest, quantize_pb2.QuantizeResponse]


@dataclass(frozen=True)
class QuantizedTensor:
    """A tensor is done."""

    name: str
    #: From 0.
    index: int
    total: int
    source_bytes: int
    result_bytes: int
    #: Frobenius norm of the difference divided by that of the source.
    relative_error: float
    #: Largest absolute difference.
    max_error: float


@dataclass(frozen=True)
class ReceivedFile:
    """How much of a file has been written here."""

    name: str
    bytes: int
    total_bytes: int


@dataclass(frozen=True)
class QuantizeResult:
    """What was made."""

    source_bytes: int
    result_bytes: int
    #: SHA-256, as of a loaded backbone.
    digest: str
    #: Frobenius norm of the difference of all weights together, divided by that of the source.
    relative_error: float
    #: The directory here, if the files were sent back.
    output: Path | None
    #: The worker's directory; empty if the files were sent back.
    destination: str


QuantizeEvent = Union[QuantizedTensor, ReceivedFile, QuantizeResult]


class QuantizingRun(Stream[quantize_pb2.QuantizeRequest, quantize_pb2.QuantizeResponse, QuantizeEvent]):
    """Iterate over it for the events; the last is the QuantizeResult. The call starts with the first one asked for."""

    def __init__(
        self, start: Callable[[], _Call], directory: PartialDirectory | None, bar: QuantizingBar | None
    ) -> None:
        self._directory = directory
        self._bar = bar
        super().__init__(start, _Reader(directory).events)

    def __next__(self) -> QuantizeEvent:
        event = super().__next__()
        if self._bar is not None:
            self._bar.show(event)
        return event

    def result(self) -> QuantizeResult:
        """Runs to the end, dropping the other events that are left."""
        for event in self:
            if isinstance(event, QuantizeResult):
                return event
        raise RuntimeError("the run is over, and its result was already read")

    def close(self) -> None:
        """Cancels the call, from any thread; nothing happens if it is over. What is not whole is removed."""
        super().close()
        if self._directory is not None:
            self._directory.discard()


class PartialDirectory:
    """A directory that is written beside its place, under a hidden name, and takes it when it is whole."""

    def __init__(self, target: Path) -> None:
        self._target = Path(os.path.abspath(target))
        if os.path.lexists(self._target):
            raise FileExistsError(f"{target} exists already; remove it, or name another directory")
        if not self._target.parent.is_dir():
            raise FileNotFoundError(f"{target}: its directory does not exist")
        self._partial = self._target.with_name(f".{self._target.name}.partial-{os.getpid()}-{id(self):x}")
        self._lock = threading.Lock()
        self._over = False

    @property
    def target(self) -> Path:
        """Where it will be."""
        return self._target

    def append(self, name: str, data: bytes) -> None:
        """Writes the next bytes of a file."""
        with self._lock:
            if self._over:  # closed by another thread, and the reader is about to learn of it
                return
            self._partial.mkdir(exist_ok=True)
            with open(self._partial / name, "ab") as file:
                file.write(data)

    def commit(self) -> None:
        """Puts it in its place."""
        with self._lock:
            if self._over:
                raise errors.Cancelled(grpc.StatusCode.CANCELLED, "The run was closed before all of it had come.")
            if os.path.lexists(self._target):  # an empty directory would be replaced
                raise FileExistsError(f"{self._target} was made by somebody else meanwhile")
            self._partial.rename(self._target)
            self._over = True

    def discard(self) -> None:
        """Removes it; nothing happens if it is in its place."""
        with self._lock:
            if not self._over and self._partial.exists():
                shutil.rmtree(self._partial)
            self._over = True


class _Reader:
    """Turns responses into events, writes files, and checks what can be checked."""

    def __init__(self, directory: PartialDirectory | None) -> None:
        self._directory = directory
        self._tensors = 0
        self._total_tensors = 0
        self._files: set[str] = set()
        # Of the file that is under way.
        self._name = ""
        self._bytes = 0
        self._total = 0

    def events(self, responses: Iterator[quantize_pb2.QuantizeResponse]) -> Iterator[QuantizeEvent]:
        try:
            for response in responses:
                kind = response.WhichOneof("message")
                if kind == "tensor":
                    yield self._tensor(response.tensor)
                elif kind == "file":
                    yield self._file(response.file)
                elif kind == "result":
                    yield self._result(response.result)
                    return
            raise errors.corrupt("The worker ended the call without a result. Run it again.")
        finally:
            if self._directory is not None:
                self._directory.discard()

    def _tensor(self, tensor: quantize_pb2.QuantizedTensor) -> QuantizedTensor:
        if tensor.index != self._tensors:
            raise errors.corrupt(f"Tensor {tensor.index} came where number {self._tensors} was next.")
        self._tensors += 1
        self._total_tensors = tensor.total
        return QuantizedTensor(
            tensor.name,
            tensor.index,
            tensor.total,
            tensor.source_bytes,
            tensor.result_bytes,
            tensor.relative_error,
            tensor.max_error,
        )

    def _file(self, part: quantize_pb2.QuantizedFile) -> ReceivedFile:
        if self._directory is None:
            raise errors.corrupt(f"The file {part.name!r} came, although the worker was to keep it.")
        chunk = part.chunk
        if not self._name:
            self._begin(part.name, chunk)
        if (part.name, chunk.offset, chunk.total_bytes) != (self._name, self._bytes, self._total):
            raise errors.corrupt(
                f"Byte {chunk.offset} of {part.name!r} came where byte {self._bytes} of {self._name!r} was next."
            )
        if len(chunk.data) > self._total - self._bytes:
            raise errors.corrupt(f"More than the {self._total} bytes of {part.name!r} came.")
        self._directory.append(part.name, chunk.data)
        self._bytes += len(chunk.data)
        event = ReceivedFile(part.name, self._bytes, self._total)
        if self._bytes == self._total:
            self._name = ""
        return event

    def _begin(self, name: str, chunk: tensor_pb2.FileChunk) -> None:
        # So that it is written where it is meant to.
        if not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
            raise errors.corrupt(f"{name!r} is no file's name.")
        if name in self._files:
            raise errors.corrupt(f"The file {name!r} came twice.")
        self._files.add(name)
        self._name, self._bytes, self._total = name, 0, chunk.total_bytes

    def _result(self, result: quantize_pb2.QuantizeResult) -> QuantizeResult:
        if self._name or self._tensors != self._total_tensors:
            raise errors.corrupt("The result came before all that it is about.")
        if self._directory is not None:
            if not self._files:
                raise errors.corrupt("The worker sent no files.")
            self._directory.commit()
        return QuantizeResult(
            result.source_bytes,
            result.result_bytes,
            result.digest,
            result.relative_error,
            None if self._directory is None else self._directory.target,
            result.destination,
        )
