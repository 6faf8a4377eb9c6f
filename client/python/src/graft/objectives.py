"""What training minimizes, and how each objective reads the labels of its items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Union

import numpy as np

from graft import errors
from graft.v1 import features_pb2, train_pb2


@dataclass(frozen=True)
class Classes:
    """The classes of a job: named, or only counted; none where labels are not classes."""

    count: int = 0
    names: tuple[str, ...] = ()

    @staticmethod
    def of(labels: Iterable[Any]) -> Classes:
        """Finds the classes that occur: names in sorted order, or as many as the largest number asks for."""
        seen = set(labels)
        names = sorted(label for label in seen if isinstance(label, str))
        if names and len(names) < len(seen):
            raise errors.invalid(
                "LABEL_KIND", f"Some labels are names ({names[0]!r}), others are not: use one or the other."
            )
        return Classes(len(names), tuple(names)) if names else Classes(max(map(_number, seen), default=-1) + 1)

    def index(self, label: Any) -> int:
        """The class number of a label."""
        if not isinstance(label, str):
            return _number(label)
        if label not in self._numbers:
            known = ", ".join(self.names[:20]) + (", ..." if len(self.names) > 20 else "")
            raise errors.invalid(
                "LABEL_OUT_OF_RANGE",
                f"The label {label!r} is none of the {self.count} classes ({known or 'none of which has a name'}). "
                "Classes are those of the training items, unless `labels` names them.",
                label=label,
            )
        return self._numbers[label]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.names)}


@dataclass(frozen=True)
class CrossEntropy:
    """One class of several; a label is a class's name or number."""

    class_weights: Sequence[float] = ()

    def to_message(self, classes: Classes) -> train_pb2.Objective:
        """Makes the contract's message."""
        return train_pb2.Objective(
            cross_entropy=train_pb2.CrossEntropy(num_classes=classes.count, class_weights=self.class_weights)
        )

    def classes_of(self, label: Any) -> Iterable[Any]:
        """The classes that a label names."""
        return () if label is None else (label,)

    def label(self, label: Any, classes: Classes) -> features_pb2.Label:
        """Makes the message of a label."""
        return features_pb2.Label(class_index=classes.index(label))


@dataclass(frozen=True)
class BinaryCrossEntropy:
    """Any of several classes; a label is a collection of class names or numbers, possibly empty."""

    positive_weights: Sequence[float] = ()

    def to_message(self, classes: Classes) -> train_pb2.Objective:
        """Makes the contract's message."""
        return train_pb2.Objective(
            binary_cross_entropy=train_pb2.BinaryCrossEntropy(
                num_classes=classes.count, positive_weights=self.positive_weights
            )
        )

    def classes_of(self, label: Any) -> Iterable[Any]:
        """The classes that a label names."""
        if isinstance(label, str):
            raise errors.invalid("LABEL_KIND", f"A multi-label item has a list of classes, not the text {label!r}.")
        return () if label is None else label

    def label(self, label: Any, classes: Classes) -> features_pb2.Label:
        """Makes the message of a label."""
        indices = sorted({classes.index(each) for each in self.classes_of(label)})
        return features_pb2.Label(class_set=features_pb2.ClassSet(class_indices=indices))


@dataclass(frozen=True)
class MeanSquaredError:
    """Values; a label is a number or a vector."""

    def to_message(self, _: Classes) -> train_pb2.Objective:
        """Makes the contract's message."""
        return train_pb2.Objective(mean_squared_error=train_pb2.MeanSquaredError())


@dataclass(frozen=True)
class CosineEmbedding:
    """An item and its `pair`, with label 1 (alike, also without label) or -1; or an item and a vector as its label."""

    margin: float = 0.0

    def to_message(self, _: Classes) -> train_pb2.Objective:
        """Makes the contract's message."""
        return train_pb2.Objective(cosine_embedding=train_pb2.CosineEmbedding(margin=self.margin))


@dataclass(frozen=True)
class InfoNce:
    """An item and its `pair`, against the pairs of the other items of its batch."""

    temperature: float = 0.05
    symmetric: bool = False

    def to_message(self, _: Classes) -> train_pb2.Objective:
        """Makes the contract's message."""
        return train_pb2.Objective(info_nce=train_pb2.InfoNce(temperature=self.temperature, symmetric=self.symmetric))


ClassObjective = Union[CrossEntropy, BinaryCrossEntropy]
Objective = Union[CrossEntropy, BinaryCrossEntropy, MeanSquaredError, CosineEmbedding, InfoNce]

_BY_NAME: dict[str, type[Objective]] = {
    "cross_entropy": CrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "mean_squared_error": MeanSquaredError,
    "cosine_embedding": CosineEmbedding,
    "info_nce": InfoNce,
}
# The short names of the `graft` command.
_SHORT = {
    "ce": "cross_entropy",
    "bce": "binary_cross_entropy",
    "mse": "mean_squared_error",
    "cosine": "cosine_embedding",
    "infonce": "info_nce",
}


def objective_of(objective: Objective | str) -> Objective:
    """An objective, also by its name with the defaults."""
    if not isinstance(objective, str):
        return objective
    name = _SHORT.get(objective, objective)
    if name not in _BY_NAME:
        raise ValueError(f"objective {objective!r} is none of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]()


def value_label(label: Any) -> features_pb2.Label | None:
    """The label of an objective without classes: values, or nothing."""
    if label is None:
        return None
    values = np.atleast_1d(np.asarray(label, np.float32))
    return features_pb2.Label(values=features_pb2.FloatVector(values=values.tolist()))


def _number(label: Any) -> int:
    try:
        number = label.__index__()
    except AttributeError:
        number = -1
    if number < 0:
        raise errors.invalid("LABEL_KIND", f"{label!r} is neither a class's name nor its number.", label=label)
    return int(number)
