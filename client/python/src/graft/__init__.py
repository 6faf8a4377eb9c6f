"""Trains small projectors on frozen transformer backbones, on remote Graft workers."""

from graft.client import Client
from graft.errors import (
    Aborted,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    GraftError,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
    Unimplemented,
    Violation,
)
from graft.events import (
    Checkpoint,
    Evaluation,
    Event,
    Extraction,
    Log,
    ParameterAudit,
    Ready,
    Result,
    Started,
    Training,
)
from graft.extraction import ItemResult, Predictions, Results
from graft.items import FLUSH
from graft.objectives import BinaryCrossEntropy, CosineEmbedding, CrossEntropy, InfoNce, MeanSquaredError
from graft.options import FeatureOptions, PooledOptions, TrainingArguments, TrainOptions
from graft.projector import Linear, Mlp, Projector, load_projector
from graft.training import TrainingRun

__all__ = [
    "FLUSH",
    "Aborted",
    "BinaryCrossEntropy",
    "Cancelled",
    "Checkpoint",
    "Client",
    "CosineEmbedding",
    "CrossEntropy",
    "DataLoss",
    "DeadlineExceeded",
    "Evaluation",
    "Event",
    "Extraction",
    "FailedPrecondition",
    "FeatureOptions",
    "GraftError",
    "InfoNce",
    "Internal",
    "InvalidArgument",
    "ItemResult",
    "Linear",
    "Log",
    "MeanSquaredError",
    "Mlp",
    "NotFound",
    "ParameterAudit",
    "PermissionDenied",
    "PooledOptions",
    "Predictions",
    "Projector",
    "Ready",
    "ResourceExhausted",
    "Result",
    "Results",
    "Started",
    "TrainOptions",
    "Training",
    "TrainingArguments",
    "TrainingRun",
    "Unavailable",
    "Unimplemented",
    "Violation",
    "load_projector",
]
