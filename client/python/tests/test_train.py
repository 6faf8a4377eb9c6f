from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_worker import SIZE, FakeWorker

import graft
from graft.v1 import features_pb2, projector_pb2, train_pb2

ITEMS = [{"text": "b", "label": "late"}, {"text": "a", "label": "early"}]


def test_events_in_order(client: graft.Client) -> None:
    events = list(client.train(ITEMS, [("c", "late")], backbone="tiny"))
    assert [type(event) for event in events] == [
        graft.Ready,
        graft.Extraction,
        graft.Started,
        graft.Training,
        graft.Log,
        graft.Evaluation,
        graft.Checkpoint,
        graft.Result,
    ]
    ready, extraction, started, training, log, evaluation, checkpoint, result = events
    assert isinstance(ready, graft.Ready)
    assert ready.labels == ("early", "late")
    assert ready.audit.trainable == {"weight": (2, SIZE)}
    assert extraction == graft.Extraction(2, 2, 7, 0)
    assert started == graft.Started(2, 1, 2, 0, 0)
    assert training == graft.Training(1, 0.5, 0.375)
    assert log == graft.Log(1, 0.5, 0.25, 2, 1e-3)
    assert evaluation == graft.Evaluation(1, 0.5, {"eval_loss": 0.5, "eval_accuracy": 0.75})
    assert checkpoint == graft.Checkpoint(1, bytes(range(256)) * 2400)
    assert isinstance(result, graft.Result)
    assert (result.step, result.train_loss, result.stop_reason) == (2, 0.125, "")


def test_text_labels_become_sorted_classes(client: graft.Client, worker: FakeWorker) -> None:
    client.train(ITEMS, [("c", "late")], backbone="tiny").result()
    assert worker.spec.objective.cross_entropy.num_classes == 2
    assert [item.label.class_index for item in worker.items] == [1, 0]
    assert [(item.number, item.label.class_index) for item in worker.eval_items] == [(2, 1)]


def test_arguments_have_the_names_of_transformers(client: graft.Client, worker: FakeWorker) -> None:
    client.train(
        ITEMS,
        backbone="tiny",
        pooling="last",
        learning_rate=1e-2,
        max_steps=-1,
        lr_scheduler_type="constant_with_warmup",
        eval_strategy="epoch",
        optim="sgd",
        save_steps=0.5,
        greater_is_better=False,
        train_sampling_strategy="sequential",
    ).result()
    assert worker.spec.arguments == train_pb2.TrainingArguments(
        learning_rate=1e-2,
        max_steps=-1,
        lr_scheduler_type=train_pb2.LR_SCHEDULER_TYPE_CONSTANT_WITH_WARMUP,
        eval_strategy=train_pb2.INTERVAL_STRATEGY_EPOCH,
        optim=train_pb2.OPTIMIZER_SGD,
        save_steps=0.5,
        greater_is_better=False,
        train_sampling_strategy=train_pb2.TRAIN_SAMPLING_STRATEGY_SEQUENTIAL,
    )
    assert worker.spec.features.pooling == features_pb2.POOLING_LAST


def test_every_argument_of_the_contract_can_be_given() -> None:
    assert set(graft.TrainingArguments.__annotations__) == set(train_pb2.TrainingArguments.DESCRIPTOR.fields_by_name)


def test_mlp(client: graft.Client, worker: FakeWorker) -> None:
    shape = graft.Mlp(hidden_sizes=(8, 4), activation="silu", dropout=0.5, layer_norm=True, bias=False)
    client.train(ITEMS, backbone="tiny", projector=shape).result()
    assert worker.spec.projector == projector_pb2.Projector(
        kind=projector_pb2.PROJECTOR_KIND_MLP,
        hidden_sizes=[8, 4],
        activation=projector_pb2.ACTIVATION_SILU,
        dropout=0.5,
        layer_norm=True,
        no_bias=True,
    )


def test_multi_label(client: graft.Client, worker: FakeWorker) -> None:
    items = [("a", ["x", "z"]), ("b", []), ("c", ["y"])]
    client.train(items, backbone="tiny", objective="binary_cross_entropy").result()
    assert worker.spec.objective.binary_cross_entropy.num_classes == 3
    assert [list(item.label.class_set.class_indices) for item in worker.items] == [[0, 2], [], [1]]
    assert all(item.HasField("label") for item in worker.items)


def test_values_and_pairs(client: graft.Client, worker: FakeWorker) -> None:
    client.train([("a", 0.5), ("b", [0.25])], backbone="tiny", objective="mse").result()
    assert [list(item.label.values.values) for item in worker.items] == [[0.5], [0.25]]
    worker.items.clear()
    pairs: list[dict[str, Any]] = [{"text": "a", "pair": "b"}, {"text": "c", "pair": [1, 2], "label": -1}]
    client.train(pairs, backbone="tiny", objective=graft.CosineEmbedding(margin=0.5)).result()
    assert worker.items[0].pair.text == "b"
    assert not worker.items[0].HasField("label")
    assert list(worker.items[1].pair.token_ids.ids) == [1, 2]
    assert list(worker.items[1].label.values.values) == [-1]


def test_items_are_streamed_when_the_classes_are_given(client: graft.Client, worker: FakeWorker) -> None:
    def items() -> Iterator[tuple[str, str]]:
        yield ("a", "early")
        # Would wait for ever if the items were read to their end first.
        assert worker.called.wait(30)
        yield ("b", "late")

    client.train(items(), backbone="tiny", labels=["late", "early"]).result()
    assert worker.items[0].label.class_index == 1


def test_unknown_label_is_refused_before_the_data_ends(client: graft.Client, worker: FakeWorker) -> None:
    def unknown() -> Iterator[tuple[str, str]]:
        # A call that is cancelled before it has left is one that no worker sees.
        assert worker.called.wait(30)
        yield ("c", "never")

    with pytest.raises(graft.InvalidArgument, match="'never' is none of the 2 classes") as caught:
        client.train(ITEMS, unknown(), backbone="tiny").result()
    assert caught.value.reason == "LABEL_OUT_OF_RANGE"
    assert caught.value.metadata == {"label": "never"}
    assert worker.cancelled.wait(30)
    assert not worker.saw_end_of_data


@pytest.mark.parametrize("labels", [["a", 1], [-1, 0], [0.5, 1]])
def test_strange_labels_are_refused(client: graft.Client, labels: list[Any]) -> None:
    items: list[tuple[str, Any]] = [("x", label) for label in labels]
    with pytest.raises(graft.InvalidArgument) as caught:
        client.train(items, backbone="tiny")
    assert caught.value.reason == "LABEL_KIND"


def test_files_travel_both_ways(client: graft.Client, worker: FakeWorker, tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    start.write_bytes(b"s" * 300_000)
    checkpoint = graft.Checkpoint(1, b"c" * 600_000)
    checkpoint.save(tmp_path / "checkpoint.safetensors")
    client.train(ITEMS, backbone="tiny", initial_projector=start, resume_from_checkpoint=checkpoint).result()
    assert worker.spec.initial_projector_bytes == 300_000
    assert worker.files == {"initial": b"s" * 300_000, "checkpoint": (tmp_path / "checkpoint.safetensors").read_bytes()}


def test_starting_weights_can_be_arrays(client: graft.Client, worker: FakeWorker) -> None:
    start = {"weight": np.ones((2, SIZE)), "bias": np.array([1, 2])}
    client.train(ITEMS, backbone="tiny", initial_projector=start).result()
    np.testing.assert_array_equal(graft.load_projector(worker.files["initial"])["bias"], [1, 2])


def test_the_result_is_saved_and_loaded(client: graft.Client, tmp_path: Path) -> None:
    result = client.train(ITEMS, backbone="tiny", pooling="mean").result()
    result.save(tmp_path / "alone.safetensors")
    result.save(tmp_path / "bundle")
    alone, bundle = (graft.load_projector(tmp_path / name) for name in ("alone.safetensors", "bundle"))
    for projector in (alone, bundle, result.module):
        np.testing.assert_array_equal(projector([[1, 0, 0, 0]]), [[1, 5]])
    assert bundle.labels == ("early", "late")
    assert bundle.manifest.to_json() == result.module.manifest.to_json()
    assert json.loads((tmp_path / "bundle" / "graft.json").read_text())["labels"] == ["early", "late"]


def test_a_checkpoint_can_be_asked_for(client: graft.Client, worker: FakeWorker) -> None:
    worker.waits_for_checkpoint_request = True
    with client.train(ITEMS, backbone="tiny") as run:
        for event in run:
            if isinstance(event, graft.Log):
                assert run.last_checkpoint is None
                run.request_checkpoint()
    assert isinstance(event, graft.Result)
    assert run.last_checkpoint is not None
    assert run.last_checkpoint.step == 1


def test_closing_the_run_cancels_the_call(client: graft.Client, worker: FakeWorker) -> None:
    worker.waits_for_checkpoint_request = True
    run = client.train(ITEMS, backbone="tiny")
    assert isinstance(next(run), graft.Ready)
    run.close()
    assert worker.cancelled.wait(30)
    with pytest.raises(graft.Cancelled):
        run.result()


def test_dropping_the_run_cancels_the_call(client: graft.Client, worker: FakeWorker) -> None:
    worker.waits_for_checkpoint_request = True
    for _ in client.train(ITEMS, backbone="tiny"):
        break
    assert worker.cancelled.wait(30)


def test_a_damaged_projector_is_refused(client: graft.Client, worker: FakeWorker) -> None:
    worker.wrong_sha256 = True
    with pytest.raises(graft.DataLoss, match="SHA-256 differs"):
        client.train(ITEMS, backbone="tiny").result()


def test_an_incomplete_projector_is_refused(client: graft.Client, worker: FakeWorker) -> None:
    worker.skips_projector_byte = True
    with pytest.raises(graft.DataLoss, match="not complete"):
        client.train(ITEMS, backbone="tiny").result()


def test_a_call_without_result_is_refused(client: graft.Client, worker: FakeWorker) -> None:
    worker.ends_without_result = True
    with pytest.raises(graft.DataLoss, match="without a result"):
        client.train(ITEMS, backbone="tiny").result()


def test_progress_bar(client: graft.Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.train(ITEMS, backbone="tiny", progress=True).result()
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "eval_accuracy=0.7500" in shown
