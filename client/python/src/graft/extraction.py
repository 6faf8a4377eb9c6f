"""One extraction: items out, results in, in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, groupby
from typing import Callable

import numpy as np

from graft import errors
from graft.calls import Call, Stream
from graft.files import cut
from graft.items import Flush, Value, batches, item
from graft.tensors import Array, decode
from graft.v1 import extract_pb2, features_pb2

_Call = Call[extract_pb2.ExtractRequest, extract_pb2.ExtractResponse]
_Start = Callable[[], _Call]
_EMPTY = np.empty(0, np.float32)


@dataclass(frozen=True)
class ItemResult:
    """The result of one item."""

    #: Position of the item among those sent, from 0.
    number: int
    #: Shape [d]; with pooling none [tokens, d]; empty where only predictions were asked for.
    features: Array = field(repr=False)
    #: Tokens that were computed, special tokens included.
    tokens: int
    #: Tokens that were cut off; 0 when the item fitted.
    truncated_tokens: int
    #: The projector's output, shape [classes]; empty without projector.
    logits: Array = field(repr=False)
    #: Shape [classes]; empty unless asked for.
    probabilities: Array = field(repr=False)


@dataclass(frozen=True)
class Predictions:
    """What a projector says of each item."""

    #: Shape [n, classes].
    logits: Array
    #: Shape [n, classes]; None if the projector's output is no classification.
    probabilities: Array | None
    #: Names of the classes, by number; empty if they have none.
    labels: tuple[str, ...]

    @property
    def classes(self) -> list[str | int]:
        """The most probable class of each item: its name, or its number if it has none."""
        return [self.labels[index] if self.labels else int(index) for index in self.logits.argmax(-1)]


def requests(
    spec: extract_pb2.ExtractSpec, projector: bytes, items: Iterable[Value | Flush]
) -> Iterator[extract_pb2.ExtractRequest]:
    """Yields all that is sent."""
    yield extract_pb2.ExtractRequest(spec=spec)
    for chunk in cut(projector):
        yield extract_pb2.ExtractRequest(projector_file=chunk)
    numbers = count()
    for flushes, group in groupby(items, lambda value: isinstance(value, Flush)):
        if flushes:
            yield from (extract_pb2.ExtractRequest(flush=extract_pb2.Flush()) for _ in group)
        else:
            numbered = (item(next(numbers), value) for value in group if not isinstance(value, Flush))
            yield from (extract_pb2.ExtractRequest(items=batch) for batch in batches(numbered))


class Results(Stream[extract_pb2.ExtractRequest, extract_pb2.ExtractResponse, ItemResult]):
    """The results of a call, each whole, in any order. The call starts with the first one asked for."""

    def __init__(self, start: _Start) -> None:
        self._reader = Reader()
        super().__init__(start, self._reader.results)

    @property
    def ready(self) -> extract_pb2.ExtractReady:
        """The spec with every default filled in; empty before the first result, or the end, was seen."""
        return self._reader.ready


class Reader:
    """Turns responses into results, and checks what can be checked."""

    def __init__(self) -> None:
        self.ready = extract_pb2.ExtractReady()
        self._parts: dict[int, _Rows] = {}

    def results(self, responses: Iterable[extract_pb2.ExtractResponse]) -> Iterator[ItemResult]:
        """Yields each item's result as soon as it is whole."""
        for response in responses:
            if response.HasField("ready"):
                self.ready = response.ready
            for result in response.results.results:
                whole = self._whole(result)
                if whole is not None:
                    yield whole
        if self._parts:
            raise errors.corrupt(f"Item {min(self._parts)} was answered only in part.")

    def _whole(self, result: extract_pb2.ItemResult) -> ItemResult | None:
        features = decode(result.features) if result.HasField("features") else _EMPTY
        if self.ready.features.pooling == features_pb2.POOLING_NONE:
            rows = self._parts.setdefault(result.number, _Rows(result.tokens))
            if not rows.add(result.first_row, features):
                return None
            features = np.concatenate(self._parts.pop(result.number).in_order())
        return ItemResult(
            number=result.number,
            features=features,
            tokens=result.tokens,
            truncated_tokens=result.truncated_tokens,
            logits=decode(result.logits) if result.HasField("logits") else _EMPTY,
            probabilities=decode(result.probabilities) if result.HasField("probabilities") else _EMPTY,
        )


def in_order(results: Iterable[ItemResult]) -> list[ItemResult]:
    """Waits for all, and sorts them by number."""
    ordered = sorted(results, key=lambda result: result.number)
    for position, result in enumerate(ordered):
        if result.number != position:
            raise errors.corrupt(f"Item {min(position, result.number)} was answered twice or not at all.")
    return ordered


def stack(rows: list[Array], size: int) -> Array:
    """One array [n, size], also for no rows."""
    return np.stack(rows) if rows else np.empty((0, size), np.float32)


class _Rows:
    """The rows of one item, which come in parts."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._parts: dict[int, Array] = {}

    def add(self, first: int, rows: Array) -> bool:
        """Returns whether all rows are there."""
        if rows.ndim != 2 or first in self._parts or len(rows) > self._missing:
            raise errors.corrupt(f"Rows from {first} on, of shape {rows.shape}, do not fit their item.")
        self._parts[first] = rows
        self._missing -= len(rows)
        return self._missing == 0

    def in_order(self) -> list[Array]:
        """The parts, proved to follow one another."""
        parts = sorted(self._parts.items())
        end = 0
        for first, rows in parts:
            if first != end:
                raise errors.corrupt(f"Rows from {first} on came where those from {end} on were due.")
            end += len(rows)
        return [rows for _, rows in parts]
