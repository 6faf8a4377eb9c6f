"""Computes the hidden states of the tiny models in ../resources/golden with transformers.

    python make_golden.py ../resources/golden            # compares with what is there
    python make_golden.py ../resources/golden --write    # and writes it anew

Needs torch and transformers; the files were made with torch 2.13 and transformers 5.18, and are the same to 1e-6 with 2.15 and
5.23. Each model is a directory with config.json (transformers 5), config_v4.json (the same with the older names) and weights,
which were drawn once at random and stay: their forms (prefixes, heads, legacy names, shards, types) are what is tested. So do
the inputs in golden.safetensors, `right.input_ids` and `left.input_ids` (three rows of 12, 5 and 9 tokens, padded on that side)
with their `attention_mask`, and `tt.token_type_ids`. The rest is computed here, in fp32 with the plain ("eager") attention:

    right.hidden_states.K, right.last_hidden_state    padding on the right
    right.logits                                      of the language-model head, where the model was saved with one
    left_pos.last_hidden_state                        padding on the left, positions counted from the first real token
    tt.last_hidden_state                              as right, with token types

What stands where the mask is 0 means nothing.
"""

import json
import os
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)


def positions_of(mask, config):
    """Counted from each row's first real token; RoBERTa's begin behind its padding index."""
    counted = (mask.cumsum(1) - 1).clamp(min=0)
    if config.model_type == "roberta":
        return torch.where(mask == 1, counted + 1 + config.pad_token_id, config.pad_token_id)
    return counted


@torch.no_grad()
def golden(directory, known):
    with open(os.path.join(directory, "config.json")) as file:
        saved_class = getattr(transformers, json.load(file)["architectures"][0])
    model = saved_class.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    right = {"input_ids": known["right.input_ids"], "attention_mask": known["right.attention_mask"]}
    left = {"input_ids": known["left.input_ids"], "attention_mask": known["left.attention_mask"]}
    left["position_ids"] = positions_of(left["attention_mask"], model.config)

    computed = {}
    states = model.base_model(**right, output_hidden_states=True)
    for layer, state in enumerate(states.hidden_states):
        computed[f"right.hidden_states.{layer}"] = state
    computed["right.last_hidden_state"] = states.last_hidden_state
    if "right.logits" in known:
        computed["right.logits"] = model(**right).logits
    computed["left_pos.last_hidden_state"] = model.base_model(**left).last_hidden_state
    if "tt.token_type_ids" in known:
        types = known["tt.token_type_ids"]
        computed["tt.last_hidden_state"] = model.base_model(**right, token_type_ids=types).last_hidden_state
    return computed


def difference(name, computed, known):
    """The largest one of a real token, as a part of the largest value."""
    mask = known["left.attention_mask" if name.startswith("left") else "right.attention_mask"] == 1
    expected = known[name][mask]
    return ((computed[mask] - expected).abs().max() / expected.abs().max()).item()


def main(folder, write):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name, "golden.safetensors")
        known = load_file(path)
        computed = golden(os.path.join(folder, name), known)
        if not write:
            assert {key for key in known if not key.endswith(("_ids", "_mask"))} == set(computed), name
            print(f"{name}: {max(difference(key, value, known) for key, value in computed.items()):.1e}")
        else:
            inputs = {key: value for key, value in known.items() if key.endswith(("_ids", "_mask"))}
            save_file({key: value.contiguous() for key, value in {**inputs, **computed}.items()}, path)


if __name__ == "__main__":
    main(sys.argv[1], "--write" in sys.argv[2:])
