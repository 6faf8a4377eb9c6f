from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from fake_worker import SIZE, FakeWorker

import graft
from graft.v1 import features_pb2, tensor_pb2


def test_rows_are_in_the_items_order(client: graft.Client) -> None:
    features = client.extract(["b", "aa", "c"], backbone="tiny")
    np.testing.assert_array_equal(features, [[98, 1, 0.5, -1], [97, 2, 0.5, -1], [99, 1, 0.5, -1]])
    assert features.dtype == np.float32


def test_the_spec_carries_every_option(client: graft.Client, worker: FakeWorker) -> None:
    client.extract(
        ["a"],
        backbone="tiny",
        pooling="max",
        layer=-2,
        normalize=True,
        compute_dtype="bf16",
        output_dtype="f16",
        max_tokens=12,
        overlength="reject",
    )
    assert worker.spec.features == features_pb2.FeatureSpec(
        backbone=features_pb2.Backbone(path="tiny"),
        pooling=features_pb2.POOLING_MAX,
        layer=-2,
        normalize=True,
        compute_dtype=features_pb2.COMPUTE_DTYPE_BF16,
        output_dtype=tensor_pb2.DATA_TYPE_F16,
        max_tokens=12,
        overlength=features_pb2.OVERLENGTH_REJECT,
    )


def test_a_flush_is_sent_before_more_items_are_asked_for(client: graft.Client, worker: FakeWorker) -> None:
    first_is_there = threading.Event()

    def items() -> Iterator[str | graft.items.Flush]:
        yield "a"
        yield graft.FLUSH
        assert first_is_there.wait(20)
        yield "b"

    numbers = []
    for result in client.extract_iter(items(), backbone="tiny"):
        numbers.append(result.number)
        first_is_there.set()
    assert numbers == [0, 1]
    assert worker.flushed_after == [1]


def test_unset_options_stay_unset(client: graft.Client, worker: FakeWorker) -> None:
    client.extract(["a"], backbone="tiny", compute_dtype="auto")
    assert worker.spec.features == features_pb2.FeatureSpec(backbone=features_pb2.Backbone(path="tiny"))


@pytest.mark.parametrize(
    ("data_type", "dtype"),
    [(tensor_pb2.DATA_TYPE_F16, np.float16), (tensor_pb2.DATA_TYPE_BF16, np.float32)],
)
def test_half_precision_is_decoded(client: graft.Client, worker: FakeWorker, data_type: int, dtype: type) -> None:
    worker.data_type = data_type  # type: ignore[assignment]
    features = client.extract(["a"], backbone="tiny")
    assert features.dtype == dtype
    np.testing.assert_array_equal(features, [[97, 1, 0.5, -1]])


def test_items_of_every_kind(client: graft.Client, worker: FakeWorker) -> None:
    vector = np.array([1, 2, 3, 4], np.float64)
    features = client.extract(
        [
            "a",
            [7, 8],
            np.array([9]),
            vector,
            {"text": "b", "id": "x"},
            {"input_ids": [0, 5], "attention_mask": [0, 1], "token_type_ids": [0, 0]},
            {"features": [5, 6, 7, 8]},
        ]
    )
    assert features.shape == (7, SIZE)
    assert [item.number for item in worker.items] == list(range(7))
    assert [item.content.WhichOneof("kind") for item in worker.items] == [
        "text",
        "token_ids",
        "token_ids",
        "features",
        "text",
        "token_ids",
        "features",
    ]
    assert worker.items[5].content.token_ids == features_pb2.TokenIds(
        ids=[0, 5], attention_mask=[0, 1], token_type_ids=[0, 0]
    )
    np.testing.assert_array_equal(features[3], vector)


@pytest.mark.parametrize(
    "item", [[], (1, 2), b"bytes", {}, {"text": "a", "input_ids": [1]}, np.zeros((2, 2)), [True], [-1], ["a"]]
)
def test_a_malformed_item_is_named(client: graft.Client, worker: FakeWorker, item: object) -> None:
    with pytest.raises((TypeError, ValueError), match="item 1: "):
        client.extract(["a", item], backbone="tiny")  # type: ignore[list-item]


def test_pooling_none_puts_the_rows_together(client: graft.Client) -> None:
    features = client.extract(["a", "bb"], backbone="tiny", pooling="none")
    assert [rows.shape for rows in features] == [(3, SIZE), (3, SIZE)]
    np.testing.assert_array_equal(features[1][:, 0], [98, 99, 100])


def test_no_items(client: graft.Client) -> None:
    assert client.extract([], backbone="tiny").shape == (0, SIZE)
    assert client.extract([], backbone="tiny", pooling="none") == []


def test_results_come_while_items_are_still_read(client: graft.Client, worker: FakeWorker) -> None:
    first_result = threading.Event()

    def items() -> Iterator[str]:
        yield from ["a" * 1000] * 1000
        # Would never end if the results were held back until the items end.
        assert first_result.wait(30)
        yield "z"

    with client.extract_iter(items(), backbone="tiny") as results:
        for result in results:
            first_result.set()
            assert result.truncated_tokens == 1
    assert len(worker.items) == 1001


def test_an_endless_stream_of_items_is_pulled_only_as_fast_as_it_is_taken(
    client: graft.Client, worker: FakeWorker
) -> None:
    pulled = itertools.count()
    with client.extract_iter(("a" * 10_000 for _ in pulled), backbone="tiny") as results:
        for _ in itertools.islice(results, 10):
            pass
        assert worker.cancelled.is_set() is False
    assert worker.cancelled.wait(30)
    # Far below what could be generated in that time: flow control holds the rest back.
    assert next(pulled) < 5_000


def test_large_items_travel_in_small_messages(client: graft.Client, worker: FakeWorker) -> None:
    text = "x" * 40_000
    client.extract([text] * 100, backbone="tiny")
    assert len(worker.items) == 100
    assert worker.messages == 100


def test_an_error_in_the_items_is_raised_and_ends_the_call(client: graft.Client, worker: FakeWorker) -> None:
    def items() -> Iterator[str]:
        yield "a"
        # A call that is cancelled before it has left is one that no worker sees.
        assert worker.called.wait(30)
        raise KeyError("no such column")

    with pytest.raises(KeyError, match="no such column"):
        client.extract(items(), backbone="tiny")
    assert worker.cancelled.wait(30)


def test_misspelt_options_are_refused(client: graft.Client) -> None:
    with pytest.raises(TypeError, match="did you mean 'backbone'"):
        client.extract(["a"], backbon="tiny")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="pooling: 'first' is none of last, mean, cls, max, none"):
        client.extract(["a"], backbone="tiny", pooling="first")  # type: ignore[call-overload]


def test_describe(client: graft.Client) -> None:
    assert client.describe().version == "fake"


def test_predictions(client: graft.Client, worker: FakeWorker) -> None:
    projector = client.train([("a", "yes"), ("b", "no")], backbone="tiny", pooling="cls").result().module
    predictions = client.predict(["a", "cc"], projector)
    assert worker.spec.predictions_only
    assert worker.spec.features.pooling == features_pb2.POOLING_CLS
    assert predictions.probabilities is not None
    np.testing.assert_allclose(predictions.logits, projector(client.extract(["a", "cc"], backbone="tiny")))
    np.testing.assert_allclose(predictions.probabilities.sum(-1), 1, rtol=1e-6)
    assert predictions.classes == ["yes", "yes"]
