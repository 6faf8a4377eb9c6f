from __future__ import annotations

import json
from pathlib import Path

import pytest

from graft.manifest import Manifest
from graft.objectives import Classes
from graft.v1 import train_pb2

# As the `graft` command writes it.
WRITTEN = {
    "format": "graft-bundle",
    "format_version": 1,
    "backbone": {"path": "minilm", "digest": "f00d"},
    "features": {"pooling": "POOLING_MEAN", "layer": -1, "normalize": False, "max_tokens": 256},
    "projector": {
        "kind": "PROJECTOR_KIND_MLP",
        "hidden_sizes": [8, 4],
        "activation": "ACTIVATION_TANH",
        "dropout": 0.5,
    },
    "projector_file": {"name": "projector.safetensors", "sha256": "beef"},
    "objective": {"cross_entropy": {"num_classes": 2, "class_weights": [1.0, 0.5]}},
    "probabilities": "PROBABILITIES_SOFTMAX",
    "label_kind": "name",
    "labels": ["early", "late"],
    "arguments": {"learning_rate": 0.001, "seed": 42, "max_steps": -1},
    "audit": {"trainable": [{"name": "0.weight", "shape": [8, 384]}], "trainable_parameters": 3072},
    "result": {"step": 30, "epoch": 3.0, "projector_sha256": "beef", "evaluation": {"eval_loss": 0.5}},
    "versions": {"graft": "0.1.0", "worker": "0.1.0"},
}


def test_the_commands_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / "graft.json").write_text(json.dumps(WRITTEN))
    manifest = Manifest.read(tmp_path)
    assert manifest.spec.features.backbone.path == "minilm"
    assert manifest.spec.features.layer == -1
    assert list(manifest.spec.projector.hidden_sizes) == [8, 4]
    assert manifest.classes == Classes(2, ("early", "late"))
    assert manifest.probabilities == "softmax"
    assert manifest.result.audit.trainable_parameters == 3072
    assert manifest.evaluation == {"eval_loss": 0.5}


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "graft.json").write_text(json.dumps(WRITTEN))
    written = json.loads(Manifest.read(tmp_path).to_json())
    # A field that has its default need not be written, and the worker's version is not known here.
    expected = json.loads(json.dumps(WRITTEN))
    del expected["features"]["normalize"]
    del expected["versions"], written["versions"]
    assert written == expected


def test_numbered_classes(tmp_path: Path) -> None:
    (tmp_path / "graft.json").write_text(Manifest(classes=Classes(3)).to_json())
    assert Manifest.read(tmp_path).classes == Classes(3)
    (tmp_path / "graft.json").write_text(Manifest(train_pb2.TrainSpec()).to_json())
    assert Manifest.read(tmp_path).classes == Classes()


@pytest.mark.parametrize(
    "change",
    [{"format": "other"}, {"format_version": 2}, {"features": {"colour": 1}}, {"backbone": None}, {"result": 3}],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "graft.json").write_text(json.dumps({**WRITTEN, **change}))
    with pytest.raises(ValueError, match="is not a projector's manifest"):
        Manifest.read(tmp_path)
