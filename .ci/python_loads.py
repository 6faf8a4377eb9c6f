"""Loads in Python what Graft quantizes, and compares the features.

Run by .ci/python-loads, in a venv that has torch, transformers, bitsandbytes and gguf. Each model is quantized by the
graft command with each scheme; the result is loaded by the library that its format belongs to, without a word of ours,
and the hidden states of the last layer are compared with those that Graft computes from the same files.

What computes in Python:

    itself     the model as from_pretrained gives it
    decoded    the same, after bitsandbytes' own decoder has made plain weights of the quantized ones. Needed where
               running the model shows something else than its weights: int8 layers round what they are given to 8 bits,
               and the decoder of 4-bit layers on AVX-512 takes wrong scales where rows are a multiple of 16 but not of
               the block
    gguf-py    transformers reads no GGUF file of this architecture: gguf-py decodes, under the names of its own map
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TQDM_DISABLE"] = "1"
os.environ["TORCH_COMPILE_DISABLE"] = "1"  # what bitsandbytes would compile are the same values

import bitsandbytes
import gguf
import numpy
import torch
import transformers
from bitsandbytes import functional
from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
GRAFT = ROOT / "bin/graft"
RESOURCES = ROOT / "server/src/test/resources"
BITSANDBYTES = RESOURCES / "dev/graft/server/quantizing/bnb"

# Relative to the largest value. Both compute in 32-bit floats, in another order.
LARGEST_DIFFERENCE = 1e-5
# What quantizing itself changes is far more, or the comparison would show nothing.
SMALLEST_EFFECT = 1e-3

DIRECTORIES = {
    "none": ["--scheme", "none", "--dtype", "fp32"],
    "nf4": ["--scheme", "nf4"],
    "nf4 double": ["--scheme", "nf4", "--double-quant"],
    "fp4": ["--scheme", "fp4"],
    "int8": ["--scheme", "int8"],
}
GGUF_FILES = {"q8_0": ["--scheme", "q8_0"], "q4_0": ["--scheme", "q4_0"]}
ALL = {**DIRECTORIES, **GGUF_FILES}

# Whole blocks and short ones, odd rows, grouped heads, biases, GPT-2's transposed weights, bf16, a tokenizer.
MODELS = {
    RESOURCES / "golden/llama_gqa": ALL,
    RESOURCES / "golden/llama_bf16": ALL,
    RESOURCES / "golden/qwen3": ALL,
    RESOURCES / "golden/bert": ALL,
    RESOURCES / "golden/gpt2": DIRECTORIES,
    BITSANDBYTES / "source/llama_h72": DIRECTORIES,
    BITSANDBYTES / "source/bert_odd": DIRECTORIES,
    RESOURCES / "gguf/llama-tiny.f32.gguf": ALL,
}
TOKEN_IDS = [[5, 17, 9, 42, 81, 3], [96, 4], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]]
TEXTS = ["The state of the union is strong.", "peace"]


@dataclass(frozen=True)
class Loaded:
    """A model that Python has loaded."""

    model: torch.nn.Module
    how: str


@dataclass(frozen=True)
class Graft:
    """The command, with a worker that is running."""

    worker: str
    scratch: Path

    def run(self, *arguments: object) -> None:
        """Runs the command."""
        command = [str(GRAFT), *map(str, arguments), "--worker", self.worker]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {finished.returncode}:\n{finished.stderr}")

    def features(self, backbone: Path, items: list[dict[str, object]]) -> dict[str, torch.Tensor]:
        """The hidden states [tokens, hidden size] of each item."""
        lines = self.scratch / "items.jsonl"
        lines.write_text("".join(json.dumps(item) + "\n" for item in items))
        output = self.scratch / "features.safetensors"
        self.run(
            *("extract", "--backbone", backbone, "--input", lines, "--output", output),
            *("--compute-dtype", "fp32", "--pooling", "none"),
        )
        return load_file(output)


@contextmanager
def serving() -> Iterator[Graft]:
    """A worker that reads the models and what is made of them."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [GRAFT, "serve", "--listen", "127.0.0.1:0", "--model-root", RESOURCES, "--model-root", scratch]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            try:
                yield Graft(worker.stdout.readline().split()[-1], Path(scratch))
            finally:
                worker.terminate()


def quantized_layers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The layers that bitsandbytes has put in."""
    kinds = (bitsandbytes.nn.Linear4bit, bitsandbytes.nn.Linear8bitLt)
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, kinds)}


def decoded(layer: torch.nn.Module) -> torch.Tensor:
    """A layer's weight, by bitsandbytes' decoder in plain PyTorch."""
    weight = layer.weight
    if isinstance(layer, bitsandbytes.nn.Linear8bitLt):
        return functional.int8_vectorwise_dequant(weight.CB if weight.CB is not None else weight.data, weight.SCB)
    state = weight.quant_state
    absmax = state.absmax
    if state.nested:
        absmax = functional.dequantize_blockwise(state.absmax, state.state2) + state.offset
    codes = weight.data.contiguous().view(torch.uint8).reshape(-1)
    return _dequantize_4bit_compute(codes, absmax, state.code, state.blocksize, state.shape, state.dtype)


def computes_its_weights(layer: torch.nn.Module) -> bool:
    """Whether running the layer multiplies by the weight that it holds."""
    if isinstance(layer, bitsandbytes.nn.Linear8bitLt):
        return False
    return torch.equal(functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state), decoded(layer))


def load_directory(directory: Path, expect_quantized: bool) -> Loaded:
    """Loads a directory as users do."""
    model = transformers.AutoModel.from_pretrained(directory, dtype=torch.float32).eval()
    layers = quantized_layers(model)
    if bool(layers) != expect_quantized:
        sys.exit(f"{directory}: transformers made {len(layers)} quantized layers of it")
    if all(computes_its_weights(layer) for layer in layers.values()):
        return Loaded(model, "itself")
    for name, layer in layers.items():
        plain = torch.nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
        plain.weight.data = decoded(layer).float()
        if layer.bias is not None:
            plain.bias.data = layer.bias.data.float()
        model.set_submodule(name, plain)
    for parameter in model.parameters():  # what is not quantized has kept its type
        parameter.data = parameter.data.float()
    return Loaded(model, "decoded")


def load_gguf(file: Path, source: Path) -> Loaded:
    """Loads a GGUF file by transformers, or by gguf-py where that knows more architectures."""
    reader = gguf.GGUFReader(file)
    architecture = reader.fields["general.architecture"].contents()
    if architecture != "bert":
        # transformers does not look at qwen3.attention.key_length: to it all heads have 128 values.
        given = {"config": transformers.AutoConfig.from_pretrained(source)} if architecture == "qwen3" else {}
        model = transformers.AutoModel.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32, **given)
        return Loaded(model.eval(), "itself")
    model = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(source)).float().eval()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, model.config.num_hidden_layers)
    tensors = {each.name: numpy.array(gguf.dequantize(each.data, each.tensor_type)) for each in reader.tensors}
    for name, parameter in model.named_parameters():
        if not name.startswith("pooler."):
            stored = tensors.pop(names.get_name(name, try_suffixes=(".weight", ".bias")))
            parameter.data = torch.from_numpy(stored).reshape(parameter.shape)
    if tensors:
        sys.exit(f"{file}: no parameter of the model is called {sorted(tensors)}")
    return Loaded(model, "gguf-py")


def python_features(loaded: Loaded, ids: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    """The hidden states of each item, as Python computes them."""
    # Not under no_grad: bitsandbytes then packs 4-bit weights for a product in bf16.
    return {
        key: loaded.model(input_ids=torch.tensor([each])).last_hidden_state[0].detach().float()
        for key, each in ids.items()
    }


def difference(actual: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> float:
    """The largest difference of any value, relative to the largest value."""
    if {key: each.shape for key, each in actual.items()} != {key: each.shape for key, each in expected.items()}:
        return float("inf")
    return max(((actual[key] - each).abs().max() / each.abs().max()).item() for key, each in expected.items())


def compare(graft: Graft, source: Path, scheme: str, unquantized: dict[str, torch.Tensor]) -> tuple[str, float, float]:
    """How Python computed, its difference from Graft, and that of quantizing."""
    made = graft.scratch / f"{source.stem}-{scheme.replace(' ', '-')}"
    graft.run("quantize", "--backbone", source, "--output", made, *ALL[scheme])
    items = {str(number): ids for number, ids in enumerate(TOKEN_IDS)}
    computed = graft.features(made, [{"id": key, "input_ids": ids} for key, ids in items.items()])
    if scheme in GGUF_FILES:
        (file,) = made.glob("*.gguf")
        loaded = load_gguf(file, source)
    else:
        loaded = load_directory(made, scheme != "none")
    apart = difference(computed, python_features(loaded, items))
    if source.suffix == ".gguf":  # with a tokenizer
        if scheme in GGUF_FILES:
            tokenizer = transformers.AutoTokenizer.from_pretrained(made, gguf_file=file.name)
        else:
            tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(made / "tokenizer.json"))
        texts = {text: tokenizer(text)["input_ids"] for text in TEXTS}
        computed_texts = graft.features(made, [{"id": text, "text": text} for text in TEXTS])
        apart = max(apart, difference(computed_texts, python_features(loaded, texts)))
    return loaded.how, apart, difference(computed, unquantized)


def rows(graft: Graft) -> int:
    """Prints a row for each model and scheme; returns how many are wrong."""
    wrong = 0
    for source, schemes in MODELS.items():
        items = [{"id": str(number), "input_ids": ids} for number, ids in enumerate(TOKEN_IDS)]
        unquantized = graft.features(source, items)
        for scheme in schemes:
            how, apart, effect = compare(graft, source, scheme, unquantized)
            right = apart <= LARGEST_DIFFERENCE and (scheme == "none" or effect >= SMALLEST_EFFECT)
            wrong += not right
            verdict = "" if right else "   WRONG"
            print(f"{source.name:22}{scheme:12}{how:10}{apart:11.1e}{effect:15.1e}{verdict}", flush=True)
    return wrong


def main() -> None:
    """Prints the table; exits with 1 if a row is wrong."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(1)
    libraries = (torch, transformers, bitsandbytes)
    print(", ".join(f"{library.__name__} {library.__version__}" for library in libraries), flush=True)
    print(f"{'model':22}{'scheme':12}{'computed':10}{'difference':>11}{'of quantizing':>15}", flush=True)
    with serving() as graft:
        wrong = rows(graft)
    if wrong:
        sys.exit(f"{wrong} of the models are not what Graft computes")


if __name__ == "__main__":
    main()
