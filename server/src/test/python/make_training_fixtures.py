"""Writes server/src/test/resources/training: runs of the real transformers Trainer for Graft to equal.

    pip install torch transformers==5.23.0 accelerate safetensors scikit-learn
    OMP_NUM_THREADS=1 python server/src/test/python/make_training_fixtures.py

Each file is one run: the features, labels and starting weights it had, the weights it ended with, and as metadata
the arguments, the log, the evaluations and the result. Where the Trainer has no name for something (a projector's
momentum, an objective), the comments below say how it was asked for. Order is sequential in all of them: the order
that a seed gives is each program's own.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score
from torch import nn
from torch.nn import functional as F
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments

OUTPUT = Path(__file__).resolve().parent.parent / "resources" / "training"
ITEMS, EVAL_ITEMS, SIZE, CLASSES = 46, 21, 12, 5
ACTIVATIONS = {"GELU": nn.GELU, "RELU": nn.ReLU, "SILU": nn.SiLU, "TANH": nn.Tanh}


@dataclass
class Case:
    name: str
    objective: dict = field(default_factory=lambda: {"kind": "CROSS_ENTROPY", "num_classes": CLASSES})
    projector: dict = field(default_factory=lambda: {"kind": "LINEAR"})
    arguments: dict = field(default_factory=dict)
    items: int = ITEMS
    # How much the label says about the features: small values overfit, so that evaluations turn worse.
    signal: float = 1.0


def mlp(*hidden, activation="GELU", layer_norm=False, no_bias=False):
    return {
        "kind": "MLP",
        "hidden_sizes": list(hidden),
        "activation": activation,
        "layer_norm": layer_norm,
        "no_bias": no_bias,
    }


EACH = {"logging_steps": 1, "learning_rate": 1e-3}

CASES = [
    Case("defaults"),
    Case("each_step", arguments=EACH),
    Case("mlp", projector=mlp(9), arguments=EACH),
    Case("mlp_relu", projector=mlp(9, 7, activation="RELU"), arguments=EACH),
    Case("mlp_silu", projector=mlp(9, activation="SILU", layer_norm=True), arguments=EACH),
    Case("mlp_tanh_no_bias", projector=mlp(9, activation="TANH", no_bias=True), arguments=EACH),
    # 10 batches, the last of one item; groups of 4, 4 and 2 batches.
    Case(
        "accumulation",
        arguments={**EACH, "per_device_train_batch_size": 5, "gradient_accumulation_steps": 4, "num_train_epochs": 4},
    ),
    Case("linear_warmup_ratio", arguments={**EACH, "warmup_ratio": 0.3}),
    Case("cosine_warmup_steps", arguments={**EACH, "lr_scheduler_type": "cosine", "warmup_steps": 4}),
    Case("constant", arguments={**EACH, "lr_scheduler_type": "constant", "warmup_steps": 4}),
    Case(
        "constant_with_warmup_share",
        arguments={**EACH, "lr_scheduler_type": "constant_with_warmup", "warmup_steps": 0.3},
    ),
    Case("clipping", arguments={**EACH, "max_grad_norm": 0.05, "optim": "sgd", "learning_rate": 0.5}),
    Case("no_clipping", arguments={**EACH, "max_grad_norm": 0.0, "optim": "sgd", "learning_rate": 0.5}),
    Case("label_smoothing", arguments={**EACH, "label_smoothing_factor": 0.1, "eval_strategy": "epoch"}),
    Case(
        "class_weights",
        objective={"kind": "CROSS_ENTROPY", "num_classes": 3, "class_weights": [0.5, 2.0, 1.25]},
        arguments={**EACH, "eval_strategy": "epoch", "gradient_accumulation_steps": 2},
    ),
    Case(
        "class_weights_smoothing",
        objective={"kind": "CROSS_ENTROPY", "num_classes": 3, "class_weights": [0.5, 2.0, 1.25]},
        arguments={**EACH, "label_smoothing_factor": 0.2, "eval_strategy": "epoch"},
    ),
    Case(
        "weight_decay",
        projector=mlp(9, layer_norm=True),
        arguments={
            **EACH,
            "weight_decay": 0.5,
            "learning_rate": 1e-2,
            "adam_beta1": 0.8,
            "adam_beta2": 0.95,
            "adam_epsilon": 1e-6,
        },
    ),
    Case(
        "sgd_momentum",
        projector=mlp(9, layer_norm=True),
        arguments={**EACH, "optim": "sgd", "momentum": 0.9, "learning_rate": 0.05, "weight_decay": 0.1},
    ),
    Case(
        "max_steps",
        arguments={"learning_rate": 1e-3, "max_steps": 8, "logging_steps": 3, "logging_first_step": True},
    ),
    Case("fractional_epochs", arguments={**EACH, "num_train_epochs": 1.3, "lr_scheduler_type": "cosine"}),
    Case(
        "shares",
        arguments={
            "learning_rate": 1e-3,
            "logging_steps": 0.15,
            "eval_strategy": "steps",
            "eval_steps": 0.4,
            "save_steps": 0.25,
        },
    ),
    Case("eval_steps_from_logging_steps", arguments={"logging_steps": 7, "eval_strategy": "steps"}),
    Case(
        "drop_last",
        arguments={
            **EACH,
            "dataloader_drop_last": True,
            "eval_strategy": "epoch",
            "gradient_accumulation_steps": 2,
            "per_device_eval_batch_size": 4,
        },
    ),
    Case("epoch_logs", arguments={"learning_rate": 1e-3, "logging_strategy": "epoch", "eval_strategy": "epoch"}),
    Case(
        "epoch_strategies_cut_by_max_steps",
        arguments={
            "max_steps": 8,
            "learning_rate": 1e-3,
            "logging_strategy": "epoch",
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
        },
    ),
    Case(
        "early_stopping_steps",
        signal=0.3,
        projector=mlp(16),
        arguments={
            "learning_rate": 0.03,
            "num_train_epochs": 10,
            "logging_steps": 4,
            "eval_strategy": "steps",
            "eval_steps": 4,
            "save_steps": 4,
            "load_best_model_at_end": True,
            "early_stopping_patience": 3,
            "lr_scheduler_type": "constant",
        },
    ),
    Case(
        "early_stopping_epochs",
        signal=0.3,
        projector=mlp(16),
        arguments={
            "learning_rate": 0.02,
            "num_train_epochs": 12,
            "logging_strategy": "epoch",
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": "accuracy",
            "greater_is_better": True,
            "early_stopping_patience": 2,
            "early_stopping_threshold": 0.02,
        },
    ),
    Case(
        "early_stopping_mid_epoch",
        signal=0.3,
        projector=mlp(16),
        arguments={
            "learning_rate": 0.03,
            "num_train_epochs": 10,
            "logging_strategy": "epoch",
            "eval_strategy": "steps",
            "eval_steps": 5,
            "save_steps": 5,
            "early_stopping_patience": 1,
            "metric_for_best_model": "eval_loss",
            "lr_scheduler_type": "constant",
        },
    ),
    Case(
        "binary_cross_entropy",
        objective={"kind": "BINARY_CROSS_ENTROPY", "num_classes": 4},
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
    Case(
        "binary_cross_entropy_weights",
        objective={"kind": "BINARY_CROSS_ENTROPY", "num_classes": 4, "positive_weights": [1.0, 3.0, 0.5, 2.0]},
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
    Case(
        "mean_squared_error",
        objective={"kind": "MEAN_SQUARED_ERROR", "outputs": 1},
        arguments={**EACH, "eval_strategy": "epoch", "learning_rate": 1e-2},
    ),
    Case(
        "mean_squared_error_outputs",
        objective={"kind": "MEAN_SQUARED_ERROR", "outputs": 3},
        projector=mlp(9),
        arguments={**EACH, "eval_strategy": "epoch", "learning_rate": 1e-2},
    ),
    Case(
        "cosine_embedding_pairs",
        objective={"kind": "COSINE_EMBEDDING", "margin": 0.2, "outputs": 6},
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
    Case(
        "cosine_embedding_values",
        objective={"kind": "COSINE_EMBEDDING", "margin": 0.0, "outputs": 6, "values": True},
        projector=mlp(9),
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
    Case(
        "info_nce",
        objective={"kind": "INFO_NCE", "temperature": 0.1, "outputs": 6},
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
    Case(
        "info_nce_symmetric",
        objective={"kind": "INFO_NCE", "temperature": 0.05, "symmetric": True, "outputs": 6},
        projector=mlp(9, layer_norm=True),
        arguments={**EACH, "eval_strategy": "epoch"},
    ),
]


def output_size(objective):
    return objective.get("num_classes") or objective["outputs"]


def build_projector(spec, outputs):
    if spec["kind"] == "LINEAR":
        return nn.Linear(SIZE, outputs)
    layers, size = [], SIZE
    for hidden in spec["hidden_sizes"]:
        layers.append(nn.Linear(size, hidden, bias=not spec["no_bias"]))
        if spec["layer_norm"]:
            layers.append(nn.LayerNorm(hidden))
        layers.append(ACTIVATIONS[spec["activation"]]())
        size = hidden
    return nn.Sequential(*layers, nn.Linear(size, outputs, bias=not spec["no_bias"]))


class Model(nn.Module):
    """The projector with its objective. Forward takes no **kwargs: the loss is the mean of its batch."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        self.config = SimpleNamespace(problem_type=None)  # which label smoothing asks for
        self.projector = build_projector(case.projector, output_size(case.objective))

    def forward(self, features, labels=None, pairs=None):
        logits = self.projector(features)
        if labels is None:  # label smoothing: the Trainer computes the loss itself
            return {"logits": logits}
        objective = self.case.objective
        kind = objective["kind"]
        if kind == "CROSS_ENTROPY":
            weights = objective.get("class_weights")
            loss = F.cross_entropy(
                logits,
                labels,
                weight=None if weights is None else torch.tensor(weights),
                label_smoothing=self.case.arguments.get("label_smoothing_factor", 0.0) if weights else 0.0,
            )
        elif kind == "BINARY_CROSS_ENTROPY":
            weights = objective.get("positive_weights")
            loss = F.binary_cross_entropy_with_logits(
                logits, labels, pos_weight=None if weights is None else torch.tensor(weights)
            )
        elif kind == "MEAN_SQUARED_ERROR":
            loss = F.mse_loss(logits, labels)
        elif kind == "COSINE_EMBEDDING":
            values = objective.get("values")
            other = labels if values else self.projector(pairs)
            alike = torch.ones(len(labels)) if values else labels[:, 0]
            loss = nn.CosineEmbeddingLoss(margin=objective["margin"])(logits, other, alike)
        elif kind == "INFO_NCE":
            scores = F.normalize(logits) @ F.normalize(self.projector(pairs)).T / objective["temperature"]
            own = torch.arange(len(scores))
            loss = F.cross_entropy(scores, own)
            if objective.get("symmetric"):
                loss = (loss + F.cross_entropy(scores.T, own)) / 2
            logits = (scores.argmax(1) == own).float()
        return {"loss": loss, "logits": logits}


def make_data(case, items, random, directions):
    kind = case.objective["kind"]
    outputs = output_size(case.objective)
    features = random.normal(size=(items, SIZE)).astype(np.float32)
    data = {}
    if kind == "CROSS_ENTROPY":
        labels = random.integers(outputs, size=items)
        features += case.signal * directions[labels]
    elif kind == "BINARY_CROSS_ENTROPY":
        labels = (features @ directions[:outputs].T > 0.3).astype(np.float32)
    elif kind == "MEAN_SQUARED_ERROR" or case.objective.get("values"):
        labels = (features @ directions[:outputs].T + random.normal(size=(items, outputs)) / 4).astype(np.float32)
    else:
        data["pairs"] = (features + random.normal(size=(items, SIZE))).astype(np.float32)
        labels = random.choice([-1.0, 1.0], size=(items, 1)).astype(np.float32)
    return {"features": features, "labels": labels, **data}


class Rows(torch.utils.data.Dataset):
    def __init__(self, data):
        self.data = {name: torch.from_numpy(np.asarray(values)) for name, values in data.items()}

    def __len__(self):
        return len(self.data["features"])

    def __getitem__(self, index):
        return {name: values[index] for name, values in self.data.items()}


def compute_metrics(kind):
    def compute(prediction):
        logits, labels = prediction.predictions, prediction.label_ids
        if kind == "CROSS_ENTROPY":
            predicted = logits.argmax(-1)
            return {
                "accuracy": accuracy_score(labels, predicted),
                "f1": f1_score(labels, predicted, average="macro", zero_division=0),
            }
        if kind == "BINARY_CROSS_ENTROPY":
            predicted = logits > 0
            return {
                "accuracy": accuracy_score(labels, predicted),
                "f1": f1_score(labels, predicted, average="macro", zero_division=0),
            }
        if kind == "MEAN_SQUARED_ERROR":
            return {"mae": mean_absolute_error(labels, logits), "r2": r2_score(labels, logits)}
        if kind == "INFO_NCE":
            return {"accuracy": logits.mean().item()}
        return {}

    return compute


def trainer_arguments(case):
    """The same arguments under the Trainer's names."""
    taken = {"train_sampling_strategy": "sequential", **case.arguments}
    if "class_weights" in case.objective:  # its smoother would leave them out; the module smooths itself
        taken.pop("label_smoothing_factor", None)
    taken.pop("early_stopping_patience", None)
    taken.pop("early_stopping_threshold", None)
    if "warmup_ratio" in taken:  # called so until transformers 5
        taken["warmup_steps"] = taken.pop("warmup_ratio")
    if "momentum" in taken:
        taken["optim_args"] = f"momentum={taken.pop('momentum')}"
    return taken


def run(case, index):
    random = np.random.default_rng(1000 + index)
    directions = random.normal(size=(8, SIZE)).astype(np.float32)
    train = make_data(case, case.items, random, directions)
    evaluation = make_data(case, EVAL_ITEMS, random, directions)
    torch.manual_seed(index)
    model = Model(case)
    initial = {name: value.clone() for name, value in model.projector.state_dict().items()}
    arguments = {"train_sampling_strategy": "sequential", **case.arguments}
    callbacks = []
    if "early_stopping_patience" in arguments:
        callbacks.append(
            EarlyStoppingCallback(
                arguments["early_stopping_patience"], arguments.get("early_stopping_threshold", 0.0)
            )
        )
    folder = tempfile.mkdtemp()
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            folder, use_cpu=True, report_to="none", disable_tqdm=True, label_names=["labels"], **trainer_arguments(case)
        ),
        train_dataset=Rows(train),
        eval_dataset=Rows(evaluation),
        compute_metrics=compute_metrics(case.objective["kind"]),
        callbacks=callbacks,
    )
    output = trainer.train()
    saves = sorted(int(path.name.split("-")[1]) for path in Path(folder).glob("checkpoint-*"))
    shutil.rmtree(folder)
    log, evaluations = [], []
    for row in trainer.state.log_history:
        kept = {
            key: value
            for key, value in row.items()
            if not key.endswith(("runtime", "per_second")) and key not in ("train_loss", "total_flos")
        }
        if "loss" in row:
            log.append(kept)
        elif "eval_loss" in row:
            evaluations.append(kept)
    best = trainer.state.best_global_step if arguments.get("load_best_model_at_end") else output.global_step
    record = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "projector": case.projector,
        "objective": case.objective,
        "arguments": arguments,
        "log": log,
        "evaluations": evaluations,
        "saves": saves,
        "result": {
            "step": output.global_step,
            "epoch": trainer.state.epoch,
            "train_loss": output.training_loss,
            "total_steps": trainer.state.max_steps,
            "best_step": best,
        },
    }
    tensors = {f"train.{name}": torch.from_numpy(np.asarray(values)) for name, values in train.items()}
    if evaluations:
        tensors |= {f"eval.{name}": torch.from_numpy(np.asarray(values)) for name, values in evaluation.items()}
    tensors |= {f"initial.{name}": value for name, value in initial.items()}
    tensors |= {f"final.{name}": value for name, value in model.projector.state_dict().items()}
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    save_file(tensors, OUTPUT / f"{case.name}.safetensors", {"case": json.dumps(record)})
    return record


def main():
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    for index, case in enumerate(CASES):
        record = run(case, index)
        print(case.name, json.dumps(record["result"]), "saves", record["saves"])


if __name__ == "__main__":
    main()
