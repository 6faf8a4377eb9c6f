"""Writes tiny models with unusual options, and what transformers computes with them.

    python make_backbone_variants.py ../resources/variants

Made with torch 2.15 and transformers 5.23. Each model is a directory: config.json (transformers 5), config_v4.json (the same
with the older names, where they differ), model.safetensors, and golden.safetensors with `right.input_ids`,
`right.attention_mask`, `right.hidden_states.K` and `right.last_hidden_state`. Every row is computed alone, without padding, by
a fresh model (the frequencies of dynamic rotary embeddings remember earlier rows); padding is put in afterwards, as 0.
activations.safetensors holds `x` and every activation of it.
"""

import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, BertConfig, CamembertConfig, GPT2Config, LlamaConfig, MistralConfig
from transformers import Qwen2Config, Qwen3Config, RobertaConfig, XLMRobertaConfig
from transformers.activations import ACT2FN

LENGTHS = [12, 5, 9]
SMALL = dict(
    vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)  # fmt: skip
ENCODER = dict(
    vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=20
)
GPT2 = dict(vocab_size=40, n_embd=16, n_layer=3, n_head=2, n_positions=20, bos_token_id=1, eos_token_id=2)


def rope(**options):
    return dict(rope_parameters=dict(rope_theta=10000.0, **options))


def llama(**options):
    return LlamaConfig(**{**SMALL, **options})


def qwen2(**options):
    return Qwen2Config(**{**SMALL, **options})


VARIANTS = {
    "llama_linear": llama(**rope(rope_type="linear", factor=4.0)),
    # rows of 12 and 9 tokens are longer than the positions, one of 5 is not
    "llama_dynamic": llama(max_position_embeddings=8, **rope(rope_type="dynamic", factor=2.0)),
    "llama_llama3": llama(
        **rope(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16),
        head_dim=16,
    ),
    "llama_yarn": llama(head_dim=16, **rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=8)),
    "llama_yarn_mscale": llama(
        head_dim=16,
        **rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, mscale=0.7, mscale_all_dim=1.2,
               beta_fast=2.0, beta_slow=0.5, truncate=False),
    ),
    "llama_yarn_attention_factor": llama(
        head_dim=16, **rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=8, attention_factor=1.3)
    ),
    "llama_biases": llama(attention_bias=True, mlp_bias=True),
    "llama_head_dim": llama(hidden_size=20, head_dim=8),
    "llama_one_key_head": llama(num_key_value_heads=1, rms_norm_eps=0.1, rope_parameters=dict(rope_theta=500.0, rope_type="default")),
    "llama_gelu_pytorch_tanh": llama(hidden_act="gelu_pytorch_tanh"),
    "llama_relu2": llama(hidden_act="relu2", tie_word_embeddings=True),
    "mistral_window": MistralConfig(**SMALL, sliding_window=4),
    "mistral_window_of_one": MistralConfig(**SMALL, sliding_window=1),
    "mistral_no_window": MistralConfig(**{**SMALL, "num_key_value_heads": 4}, sliding_window=None),
    "qwen2_window": qwen2(use_sliding_window=True, sliding_window=3, max_window_layers=1),
    "qwen2_layer_types": qwen2(
        use_sliding_window=True, sliding_window=3, layer_types=["sliding_attention", "full_attention"]
    ),
    "qwen2_unused_window": qwen2(use_sliding_window=False, sliding_window=3, max_window_layers=0),
    "qwen2_yarn": qwen2(**rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=8)),
    "qwen3_bias": Qwen3Config(**SMALL, head_dim=8, attention_bias=True),
    "qwen3_window": Qwen3Config(**SMALL, head_dim=8, use_sliding_window=True, sliding_window=3, max_window_layers=0),
    "gpt2_inverse_layer": GPT2Config(**GPT2, scale_attn_by_inverse_layer_idx=True),
    "gpt2_unscaled": GPT2Config(**GPT2, scale_attn_weights=False, n_inner=24, activation_function="relu"),
    "gpt2_upcast": GPT2Config(**GPT2, reorder_and_upcast_attn=True, activation_function="gelu"),
    "bert_relu": BertConfig(**ENCODER, hidden_act="relu", type_vocab_size=3, layer_norm_eps=0.1),
    "bert_gelu_new": BertConfig(**ENCODER, hidden_act="gelu_new"),
    "roberta_padding_index": RobertaConfig(**ENCODER, pad_token_id=3, type_vocab_size=1),
    "xlm_roberta": XLMRobertaConfig(**ENCODER, hidden_act="silu"),
    "camembert": CamembertConfig(**ENCODER, type_vocab_size=1),
}
# Saved with a language-model head or under its name: with the base model's prefix, and embeddings found at the head.
PREFIXES = {"llama_biases": "model.", "bert_relu": "bert.", "camembert": "roberta.", "gpt2_upcast": "transformer."}
ONLY_HEAD = {"llama_relu2": ("embed_tokens.weight", "lm_head.weight")}


def randomize(model, seed):
    """Weights large enough that every option shows."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        is_norm = parameter.dim() == 1 and name.endswith("weight")
        parameter.data = 1 + 0.2 * noise if is_norm else 0.3 * noise


def ids_of(config, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(4, 40, (1, length), generator=generator) for length in LENGTHS]
    if config.model_type == "roberta":
        rows[0][0, 4] = config.pad_token_id  # the padding token in the middle of a text
    return rows


def padded(rows):
    width = max(LENGTHS)
    result = torch.zeros([len(rows), width, *rows[0].shape[2:]], dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        result[i, : row.shape[1]] = row[0]
    return result


def older(config):
    """The names of before transformers 5."""
    config = dict(config)
    rotary = config.pop("rope_parameters", None)
    config["torch_dtype"] = config.pop("dtype", "float32")
    if rotary is None:
        return config
    config["rope_theta"] = rotary.pop("rope_theta")
    kind = rotary.pop("rope_type")
    # two generations of names for the same key
    config["rope_scaling"] = None if kind == "default" else {"type" if kind in ("linear", "dynamic") else "rope_type": kind, **rotary}
    return config


def save(name, directory, config, seed):
    os.makedirs(directory, exist_ok=True)
    config._attn_implementation = "eager"
    model = AutoModel.from_config(config).eval()
    randomize(model, seed)
    weights = dict(model.state_dict())
    rows = ids_of(config, seed)
    states = []
    for row in rows:
        fresh = AutoModel.from_config(AutoConfig.from_pretrained(write_config(config, directory)), attn_implementation="eager").eval()
        fresh.load_state_dict(weights)
        with torch.no_grad():
            out = fresh(input_ids=row, output_hidden_states=True)
        assert torch.equal(out.hidden_states[-1], out.last_hidden_state)
        states.append(out.hidden_states)
    golden = {
        "right.input_ids": padded(rows),
        "right.attention_mask": padded([torch.ones_like(row) for row in rows]),
        "right.last_hidden_state": padded([state[-1] for state in states]),
    }
    for k in range(len(states[0])):
        golden[f"right.hidden_states.{k}"] = padded([state[k] for state in states])
    if name in ONLY_HEAD:
        here, there = ONLY_HEAD[name]
        weights[there] = weights.pop(here)
    weights = {
        PREFIXES.get(name, "") + key: value.contiguous()
        for key, value in weights.items()
        if "pooler" not in key and not key.endswith("_ids")
    }
    save_file(weights, os.path.join(directory, "model.safetensors"), {"format": "pt"})
    save_file(golden, os.path.join(directory, "golden.safetensors"))


def write_config(config, directory):
    drop = ("architectures", "transformers_version", "_name_or_path")
    written = {key: value for key, value in config.to_dict().items() if key not in drop}
    for name, value in (("config.json", written), ("config_v4.json", older(json.loads(json.dumps(written))))):
        with open(os.path.join(directory, name), "w") as file:
            json.dump(value, file, indent=1, sort_keys=True)
            file.write("\n")
    return directory


def main(out):
    for seed, (name, config) in enumerate(VARIANTS.items()):
        save(name, os.path.join(out, name), config, seed)
    x = torch.cat([torch.linspace(-12, 12, 193), torch.tensor([0.0, -0.0, 1e-6, -1e-6, 3, -3, 6])])
    outputs = {name: ACT2FN[name](x).clone() for name in ACT2FN if name not in ("prelu", "xielu")}
    save_file({"x": x, **outputs}, os.path.join(out, "..", "activations.safetensors"))


if __name__ == "__main__":
    main(sys.argv[1])
