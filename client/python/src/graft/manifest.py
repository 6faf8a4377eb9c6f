"""`graft.json`: what belongs to a projector's file besides its tensors."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import json_format

from graft.v1 import features_pb2, projector_pb2

FILE_NAME = "graft.json"
PROJECTOR_FILE_NAME = "projector.safetensors"


@dataclass(frozen=True)
class Manifest:
    """How a projector was made, as far as using it needs to know."""

    features: features_pb2.FeatureSpec = field(default_factory=features_pb2.FeatureSpec)
    projector: projector_pb2.Projector = field(default_factory=projector_pb2.Projector)
    #: Names of the classes, by number; empty if they have none.
    classes: tuple[str, ...] = ()
    #: How logits become probabilities: softmax, sigmoid or, for None, not at all.
    probabilities: str | None = None

    def to_json(self) -> str:
        """Writes the manifest's text."""
        entries = {
            "features": json_format.MessageToDict(self.features),
            "projector": json_format.MessageToDict(self.projector),
            "probabilities": self.probabilities,
            "classes": list(self.classes),
        }
        return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def read(directory: Path) -> Manifest:
        """Reads the manifest of a directory. Raises ValueError if it is not one."""
        path = directory / FILE_NAME
        try:
            entries = json.loads(path.read_text("utf-8"))
            return Manifest(
                features=json_format.ParseDict(
                    entries.get("features", {}), features_pb2.FeatureSpec(), ignore_unknown_fields=True
                ),
                projector=json_format.ParseDict(
                    entries.get("projector", {}), projector_pb2.Projector(), ignore_unknown_fields=True
                ),
                classes=tuple(map(str, entries.get("classes") or ())),
                probabilities=entries.get("probabilities"),
            )
        except (json_format.ParseError, AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a manifest of a projector: {error}") from error
