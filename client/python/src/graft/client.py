"""The client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Literal, overload

import grpc
from tqdm.auto import tqdm

from graft import errors
from graft.calls import Call
from graft.events import Checkpoint
from graft.extraction import ItemResult, Predictions, Results, in_order, requests, stack
from graft.files import FileSource, read
from graft.items import Flush, LabelledItem, Value, label_of
from graft.objectives import BinaryCrossEntropy, Classes, CrossEntropy, Objective, objective_of
from graft.options import (
    FeatureOptions,
    PooledOptions,
    Pooling,
    QuantizeOptions,
    Scheme,
    TrainOptions,
    feature_spec,
    fill,
    quantize_request,
    training_spec,
)
from graft.progress import QuantizingBar, TrainingBar
from graft.projector import Projector, ProjectorShape, load_projector, shape_of
from graft.quantizing import PartialDirectory, QuantizingRun
from graft.safetensors import serialize
from graft.tensors import Array
from graft.training import Job, TrainingRun
from graft.v1 import (
    extract_pb2,
    extract_pb2_grpc,
    projector_pb2,
    quantize_pb2_grpc,
    train_pb2,
    train_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from typing_extensions import Unpack

# Results of a worker whose limit was raised are larger than gRPC's default of 4 MiB allows.
_MAX_RECEIVED_BYTES = 64 * 1024 * 1024


class Client:
    """Talks to one worker, or to all workers behind one name. Safe to use from several threads."""

    def __init__(
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Iterable[tuple[str, str]] = (),
        channel_options: Iterable[tuple[str, Any]] = (),
    ) -> None:
        """Connects when the first call is made.

        `target` is HOST:PORT or any other name that gRPC resolves; the connection is plain text without
        `credentials`; `metadata` goes with every call.
        """
        channel_options = [("grpc.max_receive_message_length", _MAX_RECEIVED_BYTES), *channel_options]
        self._channel = (
            grpc.insecure_channel(target, channel_options)
            if credentials is None
            else grpc.secure_channel(target, credentials, channel_options)
        )
        self._metadata = tuple(metadata)
        self._extract = extract_pb2_grpc.ExtractServiceStub(self._channel).Extract
        self._train = train_pb2_grpc.TrainServiceStub(self._channel).Train
        self._quantize = quantize_pb2_grpc.QuantizeServiceStub(self._channel).Quantize
        self._describe = worker_pb2_grpc.WorkerServiceStub(self._channel).DescribeWorker

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection and cancels what is under way."""
        self._channel.close()

    def describe(self, *, timeout: float | None = None) -> worker_pb2.DescribeWorkerResponse:
        """Describes the worker: version, device, limits, loaded backbones, what it supports."""
        try:
            response = self._describe(worker_pb2.DescribeWorkerRequest(), timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise errors.from_rpc_error(error) from error
        assert isinstance(response, worker_pb2.DescribeWorkerResponse)
        return response

    @overload
    def extract(
        self,
        items: Iterable[Value],
        *,
        pooling: Literal["none"],
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[FeatureOptions],
    ) -> list[Array]: ...

    @overload
    def extract(
        self,
        items: Iterable[Value],
        *,
        pooling: Pooling | None = None,
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[FeatureOptions],
    ) -> Array: ...

    def extract(
        self,
        items: Iterable[Value],
        *,
        pooling: Literal[Pooling, "none"] | None = None,
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[FeatureOptions],
    ) -> Array | list[Array]:
        """Computes features; FeatureOptions lists the options.

        Returns an array [n, d] in the items' order, float32 (float16 if `output_dtype` is f16); with pooling none a
        list of arrays [tokens, d].
        """
        results = self.extract_iter(items, pooling=pooling, timeout=timeout, **options)
        features = [result.features for result in _wait(results, items, progress)]
        return features if pooling == "none" else stack(features, results.ready.feature_size)

    def extract_iter(
        self,
        items: Iterable[Value | Flush],
        *,
        pooling: Literal[Pooling, "none"] | None = None,
        timeout: float | None = None,
        **options: Unpack[FeatureOptions],
    ) -> Results:
        """Like `extract`, but gives each result as it comes, in any order, while items are still being read.

        The worker gathers items before it computes them; `graft.FLUSH` among them says that more may take a while.
        """
        spec = extract_pb2.ExtractSpec(features=feature_spec({**options, "pooling": pooling}))
        return self._results(spec, b"", items, timeout)

    def predict(
        self,
        items: Iterable[Value],
        projector: Projector | FileSource,
        *,
        probabilities: Literal["softmax", "sigmoid"] | None = None,
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[PooledOptions],
    ) -> Predictions:
        """Computes features and puts a trained projector on them, on the worker.

        `projector` is what `load_projector` takes or gives, or `Result.module`. Options left out, `probabilities`
        among them, are those that it was trained with, as far as its `graft.json` tells.
        """
        module = projector if isinstance(projector, Projector) else load_projector(projector)
        trained = projector_pb2.TrainedProjector(projector=module.to_message(), file_bytes=len(module.content))
        fill(trained, {"probabilities": probabilities or module.manifest.probabilities})
        spec = extract_pb2.ExtractSpec(
            features=feature_spec(options, module.manifest.spec.features), projector=trained, predictions_only=True
        )
        results = self._results(spec, module.content, items, timeout)
        rows = _wait(results, items, progress)
        size = results.ready.prediction_size
        return Predictions(
            logits=stack([row.logits for row in rows], size),
            probabilities=stack([row.probabilities for row in rows], size) if trained.probabilities else None,
            labels=module.labels,
        )

    def train(
        self,
        train_items: Iterable[LabelledItem],
        eval_items: Iterable[LabelledItem] = (),
        *,
        projector: ProjectorShape | str = "linear",
        objective: Objective | str = "cross_entropy",
        labels: Sequence[str] | None = None,
        initial_projector: Mapping[str, ArrayLike] | FileSource | None = None,
        resume_from_checkpoint: Checkpoint | FileSource | None = None,
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[TrainOptions],
    ) -> TrainingRun:
        """Trains a projector. Iterate over what this returns for the events; the last is the Result.

        `projector` is a Linear or an Mlp, `objective` one of the objectives, each also by its name. `labels` names the
        classes by number; without it, the classes are those that occur in the training items (names in sorted order),
        which are then read to their end before anything is sent. `initial_projector` holds starting weights: arrays by
        name, or a safetensors file. `options` are FeatureOptions and the hyperparameters
        of `transformers.TrainingArguments`, by their own names.
        """
        objective = objective_of(objective)
        features, arguments = training_spec(options)
        classes = Classes(0) if labels is None else Classes(len(labels), tuple(labels))
        if labels is None and isinstance(objective, (CrossEntropy, BinaryCrossEntropy)):
            train_items = list(train_items)
            classes = Classes.of(chain.from_iterable(objective.classes_of(label_of(each)[1]) for each in train_items))
        start = serialize(initial_projector) if isinstance(initial_projector, Mapping) else _read(initial_projector)
        checkpoint = (
            resume_from_checkpoint.content
            if isinstance(resume_from_checkpoint, Checkpoint)
            else _read(resume_from_checkpoint)
        )
        spec = train_pb2.TrainSpec(
            features=features,
            projector=shape_of(projector).to_message(),
            objective=objective.to_message(classes),
            arguments=arguments,
            initial_projector_bytes=len(start),
            checkpoint_bytes=len(checkpoint),
        )
        job = Job(spec, objective, classes, train_items, eval_items, start, checkpoint)
        bar = TrainingBar() if progress else None
        return TrainingRun(job, lambda requests: self._call(self._train, requests, timeout), bar)

    def quantize(
        self,
        backbone: str,
        scheme: Scheme,
        *,
        output: str | os.PathLike[str] | None = None,
        destination: str | None = None,
        timeout: float | None = None,
        progress: bool = False,
        **options: Unpack[QuantizeOptions],
    ) -> QuantizingRun:
        """Makes a quantized copy of a backbone. Iterate over what this returns for the events; the last is the result.

        With `output` the copy is sent back into that directory, which must not exist; it appears when it is whole.
        With `destination` it is made on the worker, in a new directory under one of its writable roots. `options` are
        QuantizeOptions.
        """
        if (output is None) == (destination is None):
            raise TypeError("either output, a directory here, or destination, one on the worker, is needed")
        request = quantize_request(str(backbone), scheme, destination or "", options)
        return QuantizingRun(
            lambda: self._call(lambda requests, **more: self._quantize(next(requests), **more), [request], timeout),
            None if output is None else PartialDirectory(Path(output)),
            QuantizingBar() if progress else None,
        )

    def _results(
        self,
        spec: extract_pb2.ExtractSpec,
        projector: bytes,
        items: Iterable[Value | Flush],
        timeout: float | None,
    ) -> Results:
        return Results(lambda: self._call(self._extract, requests(spec, projector, items), timeout))

    def _call(self, method: Callable[..., Any], messages: Iterable[Any], timeout: float | None) -> Call[Any, Any]:
        return Call(method, messages, timeout=timeout, metadata=self._metadata)


def _wait(results: Results, items: Iterable[Value], progress: bool) -> list[ItemResult]:
    total = len(items) if isinstance(items, Sized) else None
    with results:
        return in_order(tqdm(results, total=total, unit="item", disable=not progress))


def _read(source: FileSource | None) -> bytes:
    return b"" if source is None else read(source)
