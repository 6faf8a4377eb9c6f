from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_worker import floats

import graft
from graft import safetensors
from graft.v1 import projector_pb2

# Made with torch.nn.Sequential(Linear(2, 3), LayerNorm(3), activation, Dropout(0.5), Linear(3, 1)).eval().
MLP = {
    "0.weight": floats([[1, -1], [0.5, 2], [-1, 0.25]]),
    "0.bias": floats([0, 1, -1]),
    "1.weight": floats([1, 2, 0.5]),
    "1.bias": floats([0.1, 0, -0.1]),
    "4.weight": floats([[1, -2, 3]]),
    "4.bias": floats([0.25]),
}
INPUT = floats([[1, 2], [-3, 0.5]])
EXPECTED = {
    "gelu": [-5.99903678894043, -0.07034647464752197],
    "relu": [-5.395247936248779, 0.14390945434570312],
    "silu": [-5.834216594696045, -0.17272716760635376],
    "tanh": [-3.586669683456421, -0.6016103029251099],
}


def test_linear() -> None:
    projector = graft.load_projector(
        safetensors.serialize({"weight": floats([[1, 2], [3, 4], [5, 6]]), "bias": floats([0.5, 0, 0])})
    )
    np.testing.assert_array_equal(projector([1, 1]), [3.5, 7, 11])
    assert dict(projector).keys() == {"weight", "bias"}
    assert projector.to_message() == graft.Linear().to_message()


def test_linear_without_bias() -> None:
    projector = graft.load_projector(safetensors.serialize({"weight": floats([[1, 2]])}))
    np.testing.assert_array_equal(projector([1, 1]), [3])
    assert projector.to_message().no_bias


@pytest.mark.parametrize("activation", ["gelu", "relu", "silu", "tanh"])
def test_mlp_equals_torch(activation: str) -> None:
    projector = graft.load_projector(safetensors.serialize(MLP), activation=activation)
    np.testing.assert_allclose(projector(INPUT)[:, 0], EXPECTED[activation], rtol=1e-5)


def test_the_shape_is_read_from_the_tensors() -> None:
    assert graft.load_projector(safetensors.serialize(MLP), activation="tanh").to_message() == projector_pb2.Projector(
        kind=projector_pb2.PROJECTOR_KIND_MLP,
        hidden_sizes=[3],
        activation=projector_pb2.ACTIVATION_TANH,
        layer_norm=True,
    )


def test_layers_stand_in_the_order_of_their_numbers() -> None:
    wide = {f"{2 * layer}.weight": floats([[layer + 1]]) for layer in range(6)}
    projector = graft.load_projector(safetensors.serialize(wide), activation="relu")
    np.testing.assert_array_equal(projector([[1]]), [[720]])


def test_what_is_no_projector_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a projector"):
        graft.load_projector(safetensors.serialize({"model.embed.weight": floats([[1]])}))
    with pytest.raises(ValueError, match="not a projector"):
        graft.load_projector(safetensors.serialize({}))
    with pytest.raises(ValueError, match="'sine' is none of gelu"):
        graft.load_projector(safetensors.serialize(MLP), activation="sine")
    (tmp_path / "projector.safetensors").write_bytes(safetensors.serialize(MLP))
    (tmp_path / "graft.json").write_text("[]")
    with pytest.raises(ValueError, match=r"graft\.json is not a projector's manifest"):
        graft.load_projector(tmp_path)
