"""Hidden states of tiny models whose linear layers torch has quantized dynamically.

For each model named below, writes int8_dynamic.safetensors beside its golden.safetensors: input_ids
(without padding, for activations are quantized with one scale for the whole batch, padding included)
and the hidden states after two blocks. In later blocks a difference in the last bit can turn how a
value is rounded to 8 bits. Made with torch 2.15 and transformers 5.23:

    OMP_NUM_THREADS=1 python server/src/test/python/make_int8_golden.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic
from transformers import AutoModel

GOLDEN = Path(__file__).parents[1] / "resources" / "golden"
MODELS = ("bert", "llama_gqa")


def make(model: Path) -> None:
    """Writes the file of one model."""
    backbone = AutoModel.from_pretrained(model, dtype=torch.float32).eval()
    quantized = quantize_dynamic(backbone, {torch.nn.Linear: per_channel_dynamic_qconfig})
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(3, 100, (3, 9), generator=generator)
    with torch.no_grad():
        output = quantized(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
    save_file(
        {"input_ids": ids, "hidden_states.2": output.hidden_states[2].contiguous()},
        model / "int8_dynamic.safetensors",
    )


if __name__ == "__main__":
    torch.backends.quantized.engine = "fbgemm"
    for name in MODELS:
        make(GOLDEN / name)
