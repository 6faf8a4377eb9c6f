"""`graft.json`: what a projector was trained on and how. The `graft` command writes and reads the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from graft.objectives import Classes
from graft.v1 import features_pb2, train_pb2

FILE_NAME = "graft.json"
PROJECTOR_FILE_NAME = "projector.safetensors"

_FORMAT = "graft-bundle"
_FORMAT_VERSION = 1
_PROBABILITIES = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


@dataclass(frozen=True)
class Manifest:
    """What belongs to a projector's file besides its tensors; of a file alone, next to nothing is known."""

    #: With every default filled in.
    spec: train_pb2.TrainSpec = field(default_factory=train_pb2.TrainSpec)
    classes: Classes = field(default_factory=Classes)
    #: SHA-256 of the backbone's configuration and tensors.
    backbone_digest: str = ""
    result: train_pb2.TrainResult = field(default_factory=train_pb2.TrainResult)
    #: Metrics of the last evaluation.
    evaluation: Mapping[str, float] = field(default_factory=dict)

    @property
    def probabilities(self) -> str | None:
        """How the projector's outputs become probabilities: softmax, sigmoid or, for None, not at all."""
        return _PROBABILITIES.get(self.spec.objective.WhichOneof("kind") or "")

    def to_json(self) -> str:
        """Writes the manifest's text."""
        features = features_pb2.FeatureSpec()
        features.CopyFrom(self.spec.features)
        features.ClearField("backbone")
        result = train_pb2.TrainResult()
        result.CopyFrom(self.result)
        result.ClearField("audit")
        probabilities = f"PROBABILITIES_{self.probabilities or 'unspecified'}".upper()
        entries = {
            "format": _FORMAT,
            "format_version": _FORMAT_VERSION,
            "backbone": {"path": self.spec.features.backbone.path, "digest": self.backbone_digest},
            "features": _to_json(features),
            "projector": _to_json(self.spec.projector),
            "projector_file": {"name": PROJECTOR_FILE_NAME, "sha256": self.result.projector_sha256},
            "objective": _to_json(self.spec.objective),
            "probabilities": probabilities,
            **self._labels(),
            "arguments": _to_json(self.spec.arguments),
            "audit": _to_json(self.result.audit),
            "result": {**_to_json(result), "evaluation": dict(self.evaluation)},
            "versions": {"graft": metadata.version("graft-client")},
        }
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    def _labels(self) -> dict[str, Any]:
        if self.classes.names:
            return {"label_kind": "name", "labels": list(self.classes.names)}
        if self.classes.count:
            return {"label_kind": "number", "labels": [str(number) for number in range(self.classes.count)]}
        return {}

    @staticmethod
    def read(directory: Path) -> Manifest:
        """Reads the manifest of a directory. Raises ValueError if it is not one."""
        path = directory / FILE_NAME
        try:
            return _from_json(json.loads(path.read_text("utf-8")))
        except (json_format.ParseError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a projector's manifest: {error!r}") from error


def _from_json(entries: Mapping[str, Any]) -> Manifest:
    if (entries["format"], entries["format_version"]) != (_FORMAT, _FORMAT_VERSION):
        raise ValueError(f"its format is {entries['format']} {entries['format_version']}, known is {_FORMAT} 1")
    spec = train_pb2.TrainSpec()
    for name in ("features", "projector", "objective", "arguments"):
        json_format.ParseDict(entries[name], getattr(spec, name))
    spec.features.backbone.path = entries["backbone"]["path"]
    results = dict(entries["result"])
    evaluation = results.pop("evaluation", {})
    result = json_format.ParseDict(results, train_pb2.TrainResult())
    json_format.ParseDict(entries["audit"], result.audit)
    labels = tuple(map(str, entries.get("labels", ())))
    classes = Classes(len(labels), labels if entries.get("label_kind") == "name" else ())
    return Manifest(spec, classes, entries["backbone"]["digest"], result, evaluation)


def _to_json(message: Message) -> dict[str, Any]:
    """protobuf's JSON form, with the contract's own field names, and with 64-bit numbers as numbers."""
    return {field.name: _value_to_json(field, value) for field, value in message.ListFields()}


def _value_to_json(field: Any, value: Any) -> Any:
    if isinstance(value, Message):
        return _to_json(value)
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name
    if isinstance(value, (str, bool, int, float)):
        return value
    return [_value_to_json(field, each) for each in value]
