"""Projectors: the shape to train, and the trained module in numpy."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graft import safetensors
from graft.files import FileSource, read
from graft.manifest import PROJECTOR_FILE_NAME, Manifest
from graft.options import enum_name, enum_number
from graft.tensors import Array
from graft.v1 import projector_pb2
from graft.v1.train_pb2 import TrainSpec

_LAYER_NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Linear:
    """One `torch.nn.Linear`."""

    bias: bool = True
    #: 0 means what the objective needs.
    output_size: int = 0

    def to_message(self) -> projector_pb2.Projector:
        """Makes the contract's message."""
        return projector_pb2.Projector(
            kind=projector_pb2.PROJECTOR_KIND_LINEAR, no_bias=not self.bias, output_size=self.output_size
        )


@dataclass(frozen=True)
class Mlp:
    """A `torch.nn.Sequential`: Linear, LayerNorm, activation and Dropout for each hidden size, then a last Linear."""

    #: Empty means one hidden layer of the input's size.
    hidden_sizes: Sequence[int] = ()
    activation: str = "gelu"
    dropout: float = 0.0
    layer_norm: bool = False
    bias: bool = True
    #: 0 means what the objective needs.
    output_size: int = 0

    def to_message(self) -> projector_pb2.Projector:
        """Makes the contract's message."""
        return projector_pb2.Projector(
            kind=projector_pb2.PROJECTOR_KIND_MLP,
            hidden_sizes=self.hidden_sizes,
            activation=_activation_number(self.activation),
            dropout=self.dropout,
            layer_norm=self.layer_norm,
            no_bias=not self.bias,
            output_size=self.output_size,
        )


ProjectorShape = Union[Linear, Mlp]


def shape_of(projector: ProjectorShape | str) -> ProjectorShape:
    """A shape, also by its name with the defaults."""
    if projector == "linear":
        return Linear()
    if projector == "mlp":
        return Mlp()
    if isinstance(projector, str):
        raise ValueError(f"projector {projector!r} is neither linear nor mlp")
    return projector


@dataclass(frozen=True, eq=False)
class Projector(Mapping[str, Array]):
    """A trained projector: its tensors by name, and callable on features [n, d] for its output [n, output_size]."""

    tensors: Mapping[str, Array]
    #: The safetensors file that they came from.
    content: bytes
    #: What it is for, and what stands between the layers of an MLP.
    manifest: Manifest = field(default_factory=Manifest)

    def __getitem__(self, name: str) -> Array:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, by number; empty if they have none."""
        return self.manifest.classes.names

    @property
    def activation(self) -> str:
        """Between the layers of an MLP: gelu, relu, silu or tanh."""
        number = self.manifest.spec.projector.activation
        return enum_name(projector_pb2.Activation.DESCRIPTOR, number) if number else "gelu"

    def __call__(self, features: ArrayLike) -> NDArray[np.float32]:
        """Computes what `torch.nn.Linear` or the `torch.nn.Sequential` in eval mode would, in float32."""
        hidden = np.asarray(features, np.float32)  # (n, d)
        activate = _ACTIVATIONS[self.activation]
        layers = self._layers()
        for position, (weight, bias) in enumerate(layers):
            if position and weight.ndim == 2:
                hidden = activate(hidden)
            hidden = _linear(hidden, weight, bias) if weight.ndim == 2 else _layer_norm(hidden, weight, bias)
        return hidden

    def to_message(self) -> projector_pb2.Projector:
        """Makes the contract's message, its shape read from the tensors."""
        layers = self._layers()
        linear = [weight for weight, _ in layers if weight.ndim == 2]
        no_bias = layers[-1][1] is None
        if "weight" in self.tensors:
            return Linear(bias=not no_bias).to_message()
        return Mlp(
            hidden_sizes=[weight.shape[0] for weight in linear[:-1]],
            activation=self.activation,
            layer_norm=any(weight.ndim == 1 for weight, _ in layers),
            bias=not no_bias,
        ).to_message()

    def _layers(self) -> list[tuple[Array, Array | None]]:
        """Weight and bias of each Linear (2 dimensions) and LayerNorm (1), in order."""
        prefixes = sorted((name[: -len("weight")] for name in self.tensors if name.endswith("weight")), key=_position)
        return [(self.tensors[f"{prefix}weight"], self.tensors.get(f"{prefix}bias")) for prefix in prefixes]


def load_projector(source: FileSource, *, activation: str = "gelu") -> Projector:
    """Reads a projector.

    `source` is a safetensors file (its path or content), or a directory that `graft train` or `Result.save` wrote:
    its `graft.json` then says which activation, classes and features belong to it. For a file alone, `activation`
    says what stands between the layers of an MLP.
    """
    if not isinstance(source, bytes) and Path(source).is_dir():
        directory = Path(source)
        return projector_of((directory / PROJECTOR_FILE_NAME).read_bytes(), Manifest.read(directory))
    return projector_of(read(source), Manifest(TrainSpec(projector=Mlp(activation=activation).to_message())))


def projector_of(content: bytes, manifest: Manifest) -> Projector:
    """Puts a projector together. Raises ValueError if the file is not one."""
    tensors = safetensors.parse(content)
    names = re.compile(r"(\d+\.)?(weight|bias)")
    strange = sorted(name for name in tensors if not names.fullmatch(name))
    if strange or not any(name.endswith("weight") for name in tensors):
        raise ValueError(f"not a projector: its tensors are {strange or sorted(tensors)}")
    return Projector(tensors, content, manifest)


def _position(prefix: str) -> int:
    return int(prefix[:-1] or 0)


def _activation_number(name: str) -> Any:
    return enum_number(projector_pb2.Activation.DESCRIPTOR, name)


def _linear(x: Array, weight: Array, bias: Array | None) -> Array:
    y: Array = x @ weight.T.astype(np.float32)
    return y if bias is None else y + bias


def _layer_norm(x: Array, weight: Array, bias: Array | None) -> Array:
    centered = x - x.mean(-1, keepdims=True)
    y: Array = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + _LAYER_NORM_EPSILON) * weight
    return y if bias is None else y + bias


def _gelu(x: Array) -> Array:
    # numpy has no erf; the standard library's is exact and quick enough for a projector.
    y: Array = (x * 0.5 * (1 + np.asarray(_erf(x / math.sqrt(2)), np.float64))).astype(np.float32)
    return y


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _silu(x: Array) -> Array:
    # exp of a non-positive number only, which cannot overflow.
    decay = np.exp(-np.abs(x))
    y: Array = x * np.where(x >= 0, 1, decay) / (1 + decay)
    return y


_erf = np.frompyfunc(math.erf, 1, 1)
_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"gelu": _gelu, "relu": _relu, "silu": _silu, "tanh": np.tanh}
