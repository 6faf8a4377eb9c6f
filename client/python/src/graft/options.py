"""Keyword options with the contract's own names, and their translation into its messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict, TypeVar

from google.protobuf.message import Message

from graft.v1 import features_pb2, quantize_pb2, train_pb2

_M = TypeVar("_M", bound=Message)


#: Of an item's last real token, the mean or the maximum over them, or of the first. Left out, it is `last` for causal
#: backbones and `mean` for bidirectional ones.
Pooling = Literal["last", "mean", "max", "cls"]


class FeatureOptions(TypedDict, total=False):
    """How features are computed. What is left out has the worker's default."""

    #: A directory under the worker's model roots; left out when every item is a precomputed vector.
    backbone: str
    #: 0 is the output of the embeddings, k that of block k, -1 the last with the final norm.
    layer: int
    #: Divides each feature by its L2 norm.
    normalize: bool
    compute_dtype: Literal["auto", "fp32", "bf16", "fp16", "int8_dynamic"]
    output_dtype: Literal["f32", "f16", "bf16"]
    #: Longest item in tokens, special tokens included.
    max_tokens: int
    overlength: Literal["truncate", "reject"]


class PooledOptions(FeatureOptions, total=False):
    """The same with how a feature is made of the hidden states of an item's tokens."""

    pooling: Pooling


class TrainingArguments(TypedDict, total=False):
    """Hyperparameters with the names, defaults and semantics of `transformers.TrainingArguments`."""

    learning_rate: float
    per_device_train_batch_size: int
    per_device_eval_batch_size: int
    num_train_epochs: float
    max_steps: int
    gradient_accumulation_steps: int
    weight_decay: float
    adam_beta1: float
    adam_beta2: float
    adam_epsilon: float
    max_grad_norm: float
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    warmup_steps: float
    warmup_ratio: float
    optim: Literal["adamw_torch", "sgd"]
    momentum: float
    logging_steps: float
    logging_strategy: Literal["no", "steps", "epoch"]
    logging_first_step: bool
    eval_strategy: Literal["no", "steps", "epoch"]
    eval_steps: float
    save_strategy: Literal["no", "steps", "epoch"]
    save_steps: float
    seed: int
    label_smoothing_factor: float
    dataloader_drop_last: bool
    train_sampling_strategy: Literal["random", "sequential"]
    load_best_model_at_end: bool
    metric_for_best_model: str
    greater_is_better: bool
    early_stopping_patience: int
    early_stopping_threshold: float


class TrainOptions(PooledOptions, TrainingArguments, total=False):
    """Everything that `Client.train` takes by name."""


Scheme = Literal["none", "nf4", "fp4", "int8", "q8_0", "q4_0"]


class QuantizeOptions(TypedDict, total=False):
    """How a backbone is quantized. What is left out has the worker's default."""

    #: Values that share a scale, for nf4 and fp4: a power of two from 32 to 4096.
    block_size: int
    #: Quantizes the scales too, for nf4 and fp4.
    double_quantization: bool
    #: What the source is cast to first, and what stays unquantized is stored as.
    data_type: Literal["f32", "f16", "bf16"]
    #: Written into the result's configuration; it changes no weight.
    recorded_compute_dtype: Literal["fp32", "bf16", "fp16"]
    #: Modules that stay unquantized, by name or the end of it.
    skip_modules: Sequence[str]
    #: Largest file of the result.
    max_shard_bytes: int


def feature_spec(
    options: Mapping[str, Any], defaults: features_pb2.FeatureSpec | None = None
) -> features_pb2.FeatureSpec:
    """Translates FeatureOptions; what they leave out is taken from the defaults."""
    refuse_unknown(options, PooledOptions.__annotations__)
    spec = features_pb2.FeatureSpec()
    if defaults is not None:
        spec.CopyFrom(defaults)
    values = dict(options)
    backbone = values.pop("backbone", None)
    if backbone is not None:
        spec.backbone.path = str(backbone)
    if values.get("compute_dtype") == "auto":
        spec.ClearField("compute_dtype")
        del values["compute_dtype"]
    return fill(spec, values)


def training_spec(options: Mapping[str, Any]) -> tuple[features_pb2.FeatureSpec, train_pb2.TrainingArguments]:
    """Translates TrainOptions."""
    refuse_unknown(options, TrainOptions.__annotations__)
    of_features = {name: value for name, value in options.items() if name in PooledOptions.__annotations__}
    others = {name: value for name, value in options.items() if name not in of_features}
    return feature_spec(of_features), fill(train_pb2.TrainingArguments(), others)


def quantize_request(
    backbone: str, scheme: Scheme, destination: str, options: Mapping[str, Any]
) -> quantize_pb2.QuantizeRequest:
    """Translates QuantizeOptions."""
    refuse_unknown(options, QuantizeOptions.__annotations__)
    values = dict(options)
    skipped = values.pop("skip_modules", None) or ()
    if isinstance(skipped, str):
        raise TypeError(f"skip_modules: a list of names is expected, not {skipped!r}")
    request = quantize_pb2.QuantizeRequest(destination=destination, skip_modules=skipped)
    request.source.path = backbone
    return fill(request, {**values, "scheme": scheme})


def refuse_unknown(options: Iterable[str], known: Iterable[str]) -> None:
    """Raises TypeError for a name that is not an option, as Python does for a keyword argument."""
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise TypeError(f"unknown option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def fill(message: _M, values: Mapping[str, Any]) -> _M:
    """Sets fields by name; None leaves one unset, and an enum takes its value's name in lower case."""
    for name, value in values.items():
        if value is None:
            continue
        field = message.DESCRIPTOR.fields_by_name[name]
        try:
            setattr(message, name, value if field.enum_type is None else enum_number(field.enum_type, value))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from error
    return message


def enum_number(enum: Any, name: str) -> Any:
    """`mean` of Pooling is POOLING_MEAN. Takes an EnumDescriptor, which protobuf has two unrelated types of."""
    prefix = _prefix(enum)
    value = enum.values_by_name.get(f"{prefix}{str(getattr(name, 'value', name)).upper()}")
    if value is None or value.number == 0:
        choices = ", ".join(other.name[len(prefix) :].lower() for other in enum.values if other.number != 0)
        raise ValueError(f"{name!r} is none of {choices}")
    return value.number


def enum_name(enum: Any, number: int) -> str:
    """POOLING_MEAN of Pooling is `mean`."""
    name: str = enum.values_by_number[number].name
    return name[len(_prefix(enum)) :].lower()


def _prefix(enum: Any) -> str:
    unspecified: str = enum.values_by_number[0].name
    return unspecified[: -len("UNSPECIFIED")]
