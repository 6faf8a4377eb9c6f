"""The scenarios of the integration tests, as a Python program meets them. Java runs the same names."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graft

# Every vocabulary in use has these, and none is a special token.
FIRST_ID, END_ID = 5, 90


def token_ids(count: int, seed: int = 0, first: int = FIRST_ID, end: int = END_ID) -> list[list[int]]:
    """Items of 1 to 24 tokens."""
    draw = random.Random(seed)
    return [[draw.randrange(first, end) for _ in range(draw.randint(1, 24))] for _ in range(count)]


def labelled(count: int, seed: int = 0) -> list[tuple[list[int], str]]:
    """Two classes that differ in which tokens they are made of."""
    halves = (token_ids(count, seed, FIRST_ID, 45), token_ids(count, seed + 1, 50, END_ID))
    return [pair for low, high in zip(*halves) for pair in ((low, "low"), (high, "high"))]


def training(**more: Any) -> dict[str, Any]:
    """Arguments of a short run that logs every step."""
    return {
        "compute_dtype": "fp32",
        "learning_rate": 0.05,
        "max_steps": 24,
        "per_device_train_batch_size": 8,
        "logging_steps": 1,
        **more,
    }


def test_describe(client: graft.Client) -> None:
    worker = client.describe()
    assert worker.version
    assert worker.device.name == "cpu" or worker.device.name.startswith("cuda:")
    assert worker.device.lanes >= 1
    assert worker.limits.max_message_bytes >= 64 * 1024
    assert {"bert", "llama", "gpt2"} <= set(worker.supported_architectures)
    assert worker.compute_dtypes
    assert worker.model_roots
    assert not worker.draining


def test_extract_batches_equal_single(client: graft.Client, backbone: str) -> None:
    items = token_ids(40)
    together = client.extract(items, backbone=backbone, compute_dtype="fp32")
    alone = np.concatenate([client.extract([item], backbone=backbone, compute_dtype="fp32") for item in items])
    error = np.linalg.norm(together - alone, axis=1) / np.linalg.norm(alone, axis=1)
    assert error.max() <= 1e-5
    again = client.extract(items, backbone=backbone, compute_dtype="fp32")
    assert again.tobytes() == together.tobytes()


@pytest.mark.parametrize("pooling", ["last", "mean", "cls", "max"])
def test_extract_token_ids_left_and_right_padding(client: graft.Client, backbone: str, pooling: Any) -> None:
    items = token_ids(10)
    pads = [24 - len(ids) for ids in items]
    left = [
        {"input_ids": [0] * pad + ids, "attention_mask": [0] * pad + [1] * len(ids)} for ids, pad in zip(items, pads)
    ]
    right = [
        {"input_ids": ids + [0] * pad, "attention_mask": [1] * len(ids) + [0] * pad} for ids, pad in zip(items, pads)
    ]
    plain = client.extract(items, backbone=backbone, pooling=pooling)
    np.testing.assert_array_equal(client.extract(left, backbone=backbone, pooling=pooling), plain)
    np.testing.assert_array_equal(client.extract(right, backbone=backbone, pooling=pooling), plain)


def test_extract_without_pooling_has_a_row_for_each_token(client: graft.Client, backbone: str) -> None:
    items = token_ids(10)
    rows = client.extract(items, backbone=backbone, pooling="none", compute_dtype="fp32")
    assert [len(each) for each in rows] == [len(ids) for ids in items]
    last = client.extract(items, backbone=backbone, pooling="last", compute_dtype="fp32")
    np.testing.assert_allclose(np.stack([each[-1] for each in rows]), last, rtol=1e-5, atol=1e-6)


def test_extract_output_types_are_roundings_of_each_other(client: graft.Client, backbone: str) -> None:
    items = token_ids(10)
    full = client.extract(items, backbone=backbone, output_dtype="f32")
    half = client.extract(items, backbone=backbone, output_dtype="f16")
    brain = client.extract(items, backbone=backbone, output_dtype="bf16")
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, full.astype(np.float16))
    np.testing.assert_allclose(brain, full, rtol=2**-8)


def test_train_linear_loss_falls_and_result_verifies(client: graft.Client, backbone: str) -> None:
    arguments = training(eval_strategy="steps", eval_steps=12)
    events = list(client.train(labelled(40), labelled(10, seed=7), backbone=backbone, **arguments))
    ready, result = events[0], events[-1]
    assert isinstance(ready, graft.Ready)
    assert isinstance(result, graft.Result)
    losses = [event.loss for event in events if isinstance(event, graft.Log)]
    assert len(losses) == 24
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:6])
    np.testing.assert_allclose(np.mean(losses), result.train_loss, rtol=1e-5)
    evaluations = [event.metrics for event in events if isinstance(event, graft.Evaluation)]
    assert len(evaluations) == 2
    assert evaluations[-1]["eval_accuracy"] > 0.5

    assert ready.labels == ("high", "low")
    assert ready.audit == result.audit
    assert result.audit.trainable == {"weight": result.module["weight"].shape, "bias": (2,)}
    assert result.audit.trainable_parameters == result.module["weight"].size + 2
    assert result.audit.frozen_parameters > result.audit.trainable_parameters
    # The frozen part proved unchanged, and the file's SHA-256, are checked by the client itself.
    assert len(result.audit.frozen_digest) == 64
    assert len(result.projector_sha256) == 64


def test_train_on_precomputed_features(client: graft.Client) -> None:
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(64, 6)).astype(np.float32)
    targets = inputs @ draw.normal(size=(6, 3)).astype(np.float32)
    items = list(zip(inputs, targets))
    arguments: dict[str, Any] = {"learning_rate": 0.1, "num_train_epochs": 60, "lr_scheduler_type": "cosine"}
    result = client.train(items, objective="mse", **arguments).result()
    assert np.square(result.module(inputs) - targets).mean() < 0.01 * np.square(targets).mean()


@pytest.mark.parametrize("projector", [graft.Linear(), graft.Mlp(hidden_sizes=(16,), dropout=0.1, layer_norm=True)])
def test_resume_is_byte_equal(client: graft.Client, backbone: str, projector: Any) -> None:
    arguments = training(backbone=backbone, projector=projector, save_steps=5)
    events = list(client.train(labelled(20), **arguments))
    checkpoints = [event for event in events if isinstance(event, graft.Checkpoint)]
    assert [checkpoint.step for checkpoint in checkpoints][:4] == [5, 10, 15, 20]
    whole = events[-1]
    assert isinstance(whole, graft.Result)
    for checkpoint in checkpoints[:4]:
        resumed = list(client.train(labelled(20), **arguments, resume_from_checkpoint=checkpoint))
        started = next(event for event in resumed if isinstance(event, graft.Started))
        assert started.first_step == checkpoint.step
        assert isinstance(resumed[-1], graft.Result)
        assert resumed[-1].projector == whole.projector


def test_starting_weights_are_taken(client: graft.Client, backbone: str) -> None:
    start = client.train(labelled(10), **training(backbone=backbone, max_steps=2)).result()
    unmoved = client.train(
        labelled(10), initial_projector=start.module, **training(backbone=backbone, learning_rate=0.0)
    ).result()
    for name in start.module:
        np.testing.assert_array_equal(unmoved.module[name], start.module[name])


def test_predictions_softmax_sum_to_one(client: graft.Client, backbone: str, tmp_path: Any) -> None:
    result = client.train(labelled(30), **training(backbone=backbone)).result()
    result.save(tmp_path / "bundle")
    items = [ids for ids, _ in labelled(10, seed=11)]
    predictions = client.predict(items, tmp_path / "bundle")
    assert predictions.probabilities is not None
    np.testing.assert_allclose(predictions.probabilities.sum(-1), 1, rtol=1e-5)
    exponentials = np.exp(predictions.logits - predictions.logits.max(-1, keepdims=True))
    np.testing.assert_allclose(
        predictions.probabilities, exponentials / exponentials.sum(-1, keepdims=True), rtol=1e-4, atol=1e-6
    )
    assert set(predictions.classes) <= {"high", "low"}
    features = client.extract(items, backbone=backbone, compute_dtype="fp32")
    np.testing.assert_allclose(result.module(features), predictions.logits, rtol=1e-3, atol=1e-4)


def test_a_quantized_copy_comes_back_or_stays(client: graft.Client, backbone: str, tmp_path: Path) -> None:
    name = f"{backbone}-nf4-{uuid.uuid4().hex}"
    events = list(client.quantize(backbone, "nf4", output=tmp_path / "made", double_quantization=True))
    kept = client.quantize(backbone, "nf4", destination=name, double_quantization=True).result()

    made = events[-1]
    assert isinstance(made, graft.QuantizeResult)
    assert made.output == tmp_path / "made"
    assert made.digest == kept.digest
    assert made.result_bytes < made.source_bytes
    assert 0.01 < made.relative_error < 0.2
    tensors = [event for event in events if isinstance(event, graft.QuantizedTensor)]
    assert [tensor.index for tensor in tensors] == list(range(tensors[0].total))
    assert max(tensor.relative_error for tensor in tensors) > made.relative_error / 2
    written = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    assert written == {path.name: path.read_bytes() for path in Path(kept.destination).iterdir()}

    items = token_ids(10)
    plain = client.extract(items, backbone=backbone, compute_dtype="fp32")
    quantized = client.extract(items, backbone=name, compute_dtype="fp32")
    norms = np.linalg.norm(plain, axis=1) * np.linalg.norm(quantized, axis=1)
    cosines = (plain * quantized).sum(axis=1) / norms
    assert cosines.min() > 0.9
    assert not np.array_equal(plain, quantized)


def test_a_quantized_copy_that_cannot_be_kept_is_refused(client: graft.Client, backbone: str) -> None:
    with pytest.raises(graft.PermissionDenied) as outside:
        client.quantize(backbone, "nf4", destination="/nowhere/made").result()
    assert outside.value.reason == "OUTSIDE_WRITABLE_ROOTS"
    with pytest.raises(graft.FailedPrecondition) as there:
        client.quantize(backbone, "nf4", destination=backbone).result()
    assert there.value.reason == "DESTINATION_EXISTS"


def test_unknown_backbone_is_not_found(client: graft.Client) -> None:
    with pytest.raises(graft.NotFound) as caught:
        client.extract(["text"], backbone="no-such-backbone")
    assert caught.value.reason == "BACKBONE_NOT_FOUND"
    assert "no-such-backbone" in caught.value.message


@pytest.mark.parametrize("path", ["/etc", "..", "../../../../etc"])
def test_path_escape_is_denied(client: graft.Client, path: str) -> None:
    with pytest.raises(graft.PermissionDenied) as caught:
        client.extract(["text"], backbone=path)
    assert caught.value.reason == "OUTSIDE_MODEL_ROOTS"


def test_cancel_mid_stream(client: graft.Client, backbone: str) -> None:
    def endless() -> Iterator[list[int]]:
        for seed in itertools.count():
            yield from token_ids(100, seed)

    with client.extract_iter(endless(), backbone=backbone) as results:
        assert len(list(itertools.islice(results, 20))) == 20
    deadline = time.monotonic() + 30
    while client.describe().active_calls:
        assert time.monotonic() < deadline, "the worker goes on with a cancelled call"
    assert len(client.extract(token_ids(3), backbone=backbone)) == 3


def test_cancelled_training_leaves_the_worker_free(client: graft.Client, backbone: str) -> None:
    with client.train(labelled(20), **training(backbone=backbone, max_steps=1_000_000)) as run:
        assert any(isinstance(event, graft.Log) for event in run)
    deadline = time.monotonic() + 30
    while client.describe().active_calls:
        assert time.monotonic() < deadline, "the worker goes on with a cancelled call"


def test_a_checkpoint_can_be_asked_for(client: graft.Client, backbone: str) -> None:
    arguments = training(backbone=backbone, max_steps=1_000_000, save_strategy="no")
    with client.train(labelled(20), **arguments) as run:
        for event in run:
            if isinstance(event, graft.Started):
                run.request_checkpoint()
            if isinstance(event, graft.Checkpoint):
                break
    assert run.last_checkpoint is not None
    assert run.last_checkpoint.step > 0


def test_unknown_label_is_refused(client: graft.Client, backbone: str) -> None:
    with pytest.raises(graft.InvalidArgument) as by_worker:
        client.train([([7, 8], 0), ([9], 5)], labels=["a", "b"], **training(backbone=backbone)).result()
    assert by_worker.value.reason == "LABEL_OUT_OF_RANGE"
    with pytest.raises(graft.InvalidArgument) as by_client:
        client.train(labelled(2), [([7], "middle")], **training(backbone=backbone)).result()
    assert by_client.value.reason == "LABEL_OUT_OF_RANGE"


def test_token_outside_the_vocabulary_is_refused(client: graft.Client, backbone: str) -> None:
    with pytest.raises(graft.InvalidArgument) as caught:
        client.extract([[7], [2**31]], backbone=backbone)
    assert caught.value.reason == "TOKEN_OUT_OF_RANGE"


def test_no_items_is_an_empty_result_and_an_empty_dataset(client: graft.Client, backbone: str) -> None:
    assert client.extract([], backbone=backbone).shape[0] == 0
    with pytest.raises(graft.InvalidArgument) as caught:
        client.train([], labels=["a", "b"], **training(backbone=backbone)).result()
    assert caught.value.reason == "EMPTY_DATASET"
