"""What users hand in as items, as numbered messages of the contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Union

import numpy as np

from graft.tensors import Array, encode
from graft.v1 import features_pb2

#: A text, token ids (a list of int), a precomputed feature (a vector of floats), or a dict with one of `text`,
#: `input_ids` (with `attention_mask` and `token_type_ids`, if needed) and `features`, and with `label` and `pair`
#: where training needs them.
Value = Union[str, Sequence[int], Array, Mapping[str, Any]]


class Flush:
    """The type of FLUSH."""

    def __repr__(self) -> str:
        return "graft.FLUSH"


#: No item, but put among those of `Client.extract_iter` it asks for the results of the items before it: they are
#: computed without waiting for more. It has no number and no result.
FLUSH = Flush()

#: A value, or with its label as a tuple.
LabelledItem = Union[Value, "tuple[Value, Any]"]

# A worker takes messages of 1 MiB or more; a batch closes as soon as it is larger than this.
_BATCH_BYTES = 64 * 1024
_BATCH_ITEMS = 256


def item(number: int, value: Value, label: features_pb2.Label | None = None) -> features_pb2.Item:
    """Makes the message of one item."""
    try:
        pair = value.get("pair") if isinstance(value, Mapping) else None
        return features_pb2.Item(
            number=number,
            content=content(value),
            pair=None if pair is None else content(pair),
            label=label,
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"item {number}: {error}") from error


def content(value: Value) -> features_pb2.Content:
    """Tells the kinds of content apart."""
    if isinstance(value, str):
        return features_pb2.Content(text=value)
    if isinstance(value, Mapping):
        return _content_of_mapping(value)
    if isinstance(value, (bytes, set, tuple)):
        raise TypeError(f"a {type(value).__name__} is no item; see graft.Value for what is")
    array = np.asarray(value)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"token ids or a feature must be one non-empty row, not of shape {array.shape}")
    if array.dtype.kind in "iu":
        return features_pb2.Content(token_ids=features_pb2.TokenIds(ids=array.tolist()))
    if array.dtype.kind == "f":
        return features_pb2.Content(features=encode(array))
    raise TypeError(f"values of type {array.dtype} are neither token ids nor a feature")


def label_of(value: LabelledItem) -> tuple[Value, Any]:
    """Parts a labelled item into its value and its label; None if it has none."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise TypeError(f"a labelled item is a pair (value, label), not a tuple of {len(value)}")
        parted: tuple[Value, Any] = (value[0], value[1])  # type: ignore[assignment]  # A tuple is never token ids.
        return parted
    return value, value.get("label") if isinstance(value, Mapping) else None


def batches(items: Iterable[features_pb2.Item]) -> Iterator[features_pb2.ItemBatch]:
    """Gathers items into messages well under every worker's limit."""
    batch = features_pb2.ItemBatch()
    size = 0
    for each in items:
        if batch.items and size + each.ByteSize() > _BATCH_BYTES:
            yield batch
            batch, size = features_pb2.ItemBatch(), 0
        batch.items.append(each)
        size += each.ByteSize()
        if len(batch.items) == _BATCH_ITEMS:
            yield batch
            batch, size = features_pb2.ItemBatch(), 0
    if batch.items:
        yield batch


def _content_of_mapping(value: Mapping[str, Any]) -> features_pb2.Content:
    kinds = [kind for kind in ("text", "input_ids", "features") if value.get(kind) is not None]
    if len(kinds) != 1:
        raise ValueError(f"an item has exactly one of text, input_ids and features; this one has {kinds or 'none'}")
    if kinds == ["text"]:
        return features_pb2.Content(text=value["text"])
    if kinds == ["features"]:
        return features_pb2.Content(features=encode(np.asarray(value["features"], _feature_type(value["features"]))))
    return features_pb2.Content(
        token_ids=features_pb2.TokenIds(
            ids=_numbers(value["input_ids"]),
            attention_mask=_numbers(value.get("attention_mask")),
            token_type_ids=_numbers(value.get("token_type_ids")),
        )
    )


def _numbers(values: Iterable[int] | None) -> list[int]:
    return [] if values is None else [int(value) for value in values]


def _feature_type(values: Any) -> type[np.generic]:
    return np.float16 if getattr(values, "dtype", None) == np.float16 else np.float32
