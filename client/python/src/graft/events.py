"""What a training run reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from graft.manifest import FILE_NAME, PROJECTOR_FILE_NAME
from graft.projector import Projector
from graft.v1 import train_pb2


@dataclass(frozen=True)
class ParameterAudit:
    """What trains and what is frozen."""

    #: Shape of every tensor that trains, by its name in the projector's file.
    trainable: Mapping[str, tuple[int, ...]]
    trainable_parameters: int
    frozen_tensors: int
    frozen_parameters: int
    #: SHA-256 over the frozen tensors and their configuration; empty without backbone.
    frozen_digest: str


@dataclass(frozen=True)
class Ready:
    """The job was accepted."""

    #: What was asked for, with every default filled in.
    spec: train_pb2.TrainSpec
    audit: ParameterAudit
    #: Names of the classes, by number; empty if they have none.
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Extraction:
    """How far the features are."""

    items_done: int
    items_received: int
    tokens: int
    truncated_items: int


@dataclass(frozen=True)
class Started:
    """Data is complete and training begins."""

    train_items: int
    eval_items: int
    total_steps: int
    #: 0, or the step of the checkpoint that the run goes on from.
    first_step: int
    truncated_items: int


@dataclass(frozen=True)
class Training:
    """How far the training is; comes now and then, whatever is logged."""

    step: int
    epoch: float
    #: Of the last step.
    loss: float


@dataclass(frozen=True)
class Log:
    """Training metrics since the last log entry, as transformers' Trainer logs them."""

    step: int
    epoch: float
    loss: float
    grad_norm: float
    learning_rate: float


@dataclass(frozen=True)
class Evaluation:
    """Evaluation metrics by name, all with the prefix `eval_`."""

    step: int
    epoch: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Checkpoint:
    """All that another run needs to go on from here; hand it to `Client.train` as `resume_from_checkpoint`."""

    step: int
    content: bytes = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Writes the checkpoint's safetensors file."""
        Path(path).write_bytes(self.content)


@dataclass(frozen=True)
class Result:
    """The trained projector and how training ended."""

    step: int
    epoch: float
    #: Mean loss over all steps of the run.
    train_loss: float
    train_runtime_seconds: float
    extraction_seconds: float
    tokens: int
    audit: ParameterAudit
    #: Why training ended before its last step: empty, or `early_stopping`.
    stop_reason: str
    #: The step whose weights the projector has.
    best_step: int
    projector_sha256: str
    #: The safetensors file, its digest verified.
    projector: bytes = field(repr=False)
    #: The same, ready to be called.
    module: Projector = field(repr=False)

    def save(self, path: str | Path) -> None:
        """Writes the projector: one file if the path ends in `.safetensors`, else a directory for `load_projector`."""
        path = Path(path)
        if path.suffix == ".safetensors":
            path.write_bytes(self.projector)
            return
        path.mkdir(parents=True, exist_ok=True)
        (path / PROJECTOR_FILE_NAME).write_bytes(self.projector)
        (path / FILE_NAME).write_text(self.module.manifest.to_json(), "utf-8")


Event = Union[Ready, Extraction, Started, Training, Log, Evaluation, Checkpoint, Result]


def audit_of(message: train_pb2.ParameterAudit) -> ParameterAudit:
    """Reads the contract's message."""
    return ParameterAudit(
        trainable={info.name: tuple(info.shape) for info in message.trainable},
        trainable_parameters=message.trainable_parameters,
        frozen_tensors=message.frozen_tensors,
        frozen_parameters=message.frozen_parameters,
        frozen_digest=message.frozen_digest,
    )
