"""Makes the safetensors files beside this script with the reference implementation.

    pip install torch safetensors && python make_fixtures.py
"""

import pathlib

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent

# One tensor of each type that torch can write, 0 1 2 .. in its bytes; a scalar and an empty one.
types = [
    "bool", "uint8", "int8", "float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu", "float8_e4m3fnuz",
    "float8_e5m2fnuz", "int16", "uint16", "float16", "bfloat16", "int32", "uint32", "float32",
    "complex64", "float64", "int64", "uint64",
]  # fmt: skip
tensors = {}
for name in types:
    dtype = getattr(torch, name)
    count = 2 * dtype.itemsize
    values = [i % 2 for i in range(count)] if name == "bool" else list(range(count))
    tensors["of." + name] = torch.tensor(values, dtype=torch.uint8).view(dtype)
tensors["scalar"] = torch.tensor(1.5)
tensors["empty"] = torch.zeros(0, 3)
tensors["quote\" back\\ tab\t unit\x1f del\x7f é 語"] = torch.ones(1, 2)
# UTF-8 order and UTF-16 order differ for these two.
tensors["\uffee"] = torch.ones(1)
tensors["\U0001f331"] = torch.zeros(1)
save_file(tensors, here / "types.safetensors")
save_file(tensors, here / "types_metadata.safetensors", {"format": "pt"})
save_file({"weight": torch.arange(6.0).view(2, 3), "bias": torch.tensor([0.5, -0.5])}, here / "linear.safetensors")
save_file({}, here / "nothing.safetensors")
