#!/usr/bin/env python3
"""What a Python user does without Graft. Prints one line of JSON.

  baseline.py naive    --model DIR --items FILE [--dtype fp32|bf16] [--quant nf4] [--device cuda:N]
                       the usual loop: the whole causal model, each epoch, on unsorted batches
  baseline.py careful  --model DIR --items FILE [--dtype fp32|bf16] [--quant nf4]
                       the base model once over length-sorted batches, then epochs on the features
  baseline.py onnx     --model FILE --tokenizer FILE --items FILE
                       onnxruntime, sorted by length, mean pooling, at its best batch size

Needs torch and transformers, with --quant bitsandbytes and accelerate too; or onnxruntime and tokenizers. `naive` runs
one epoch and reports three times its seconds.
"""

import argparse
import json
import resource
import time

START = time.perf_counter()


def busy():
    with open("/proc/stat") as stat:
        v = list(map(int, stat.readline().split()[1:9]))
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / 100.0


class Span:
    """Wall clock of a stretch of code, and the cores that others used meanwhile."""

    def __enter__(self):
        self.start, self.busy, self.own = time.perf_counter(), busy(), time.process_time()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.start
        self.other_cores = (busy() - self.busy - (time.process_time() - self.own)) / self.seconds


def read(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def train(args):
    import torch
    from transformers import AutoModel, AutoModelForCausalLM

    torch.set_num_threads(args.threads)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[args.dtype]
    careful = args.way == "careful"
    kind = AutoModel if careful else AutoModelForCausalLM
    more = {}
    if args.quant:
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )
    with Span() as load:
        model = kind.from_pretrained(args.model, dtype=dtype, attn_implementation="sdpa", **more).eval()
        if args.device != "cpu" and not args.quant:  # bitsandbytes places what it quantizes
            model = model.to(args.device)
        for p in model.parameters():
            p.requires_grad_(False)
            # Mapped pages are read on first use.
            p.flatten()[::1024].float().sum()
    rows = [torch.tensor(item["input_ids"]) for item in read(args.items)]
    labels = torch.tensor([item["label"] for item in read(args.items)]).to(args.device)
    torch.manual_seed(0)
    projector = torch.nn.Linear(model.config.hidden_size, 4).to(args.device)
    optimizer = torch.optim.AdamW(projector.parameters(), lr=1e-4)
    loss_function = torch.nn.CrossEntropyLoss()
    batch = 8
    first = []

    def features(index):
        length = max(len(rows[i]) for i in index)
        ids = torch.zeros(len(index), length, dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(index):
            ids[row, : len(rows[i])], mask[row, : len(rows[i])] = rows[i], 1
        ids, mask = ids.to(args.device), mask.to(args.device)
        with torch.no_grad():
            if careful:
                hidden = model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            else:
                hidden = model(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states[-1]
        first.append(time.perf_counter() - START)
        return hidden[torch.arange(len(index), device=args.device), mask.sum(1) - 1].float()

    def epoch(get):
        order = torch.randperm(len(rows)).tolist()
        for start in range(0, len(rows), batch):
            index = order[start : start + batch]
            loss = loss_function(projector(get(index)), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()

    with Span() as whole:
        if careful:
            cached = torch.empty(len(rows), model.config.hidden_size, device=args.device)
            by_length = sorted(range(len(rows)), key=lambda i: -len(rows[i]))
            for start in range(0, len(rows), batch):
                index = by_length[start : start + batch]
                cached[index] = features(index)
            for _ in range(3):
                epoch(lambda index: cached[index])
        else:
            epoch(features)
    seconds = whole.seconds * (1 if careful else 3)
    tokens = sum(len(row) for row in rows)
    return dict(
        seconds=seconds,
        tokens_per_s=tokens / seconds,
        load_s=load.seconds,
        first_feature_s=first[0],
        other_cores=whole.other_cores,
    )


def onnx(args):
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    provider = "CPUExecutionProvider" if args.device == "cpu" else "CUDAExecutionProvider"
    session = onnxruntime.InferenceSession(args.model, options, providers=[provider])
    tokenizer = Tokenizer.from_file(args.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    encoded = sorted((e.ids for e in tokenizer.encode_batch([item["text"] for item in read(args.items)])), key=len)
    tokens = sum(map(len, encoded))
    best = {}
    for batch in (1, 4, 8, 16, 32):
        for _ in range(2):
            with Span() as span:
                for start in range(0, len(encoded), batch):
                    rows = encoded[start : start + batch]
                    ids = numpy.zeros((len(rows), max(map(len, rows))), dtype=numpy.int64)
                    mask = numpy.zeros_like(ids)
                    for i, row in enumerate(rows):
                        ids[i, : len(row)], mask[i, : len(row)] = row, 1
                    inputs = dict(input_ids=ids, attention_mask=mask, token_type_ids=numpy.zeros_like(ids))
                    hidden = session.run(None, inputs)[0]
                    (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
            if tokens / span.seconds > best.get("tokens_per_s", 0):
                best = dict(seconds=span.seconds, tokens_per_s=tokens / span.seconds, batch=batch, other_cores=span.other_cores)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=["naive", "careful", "onnx"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--items", required=True)
    parser.add_argument("--tokenizer")
    parser.add_argument("--dtype", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--quant", choices=["nf4"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    args = parser.parse_args()
    figures = onnx(args) if args.way == "onnx" else train(args)
    figures["peak_rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
