"""A worker whose features are easy to foretell, and that remembers what it was sent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
import numpy as np
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from numpy.typing import NDArray

from graft import safetensors
from graft.files import cut
from graft.tensors import Array, encode
from graft.v1 import (
    extract_pb2,
    extract_pb2_grpc,
    features_pb2,
    quantize_pb2,
    quantize_pb2_grpc,
    tensor_pb2,
    train_pb2,
    train_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)

SIZE = 4


def floats(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def feature_of(content: features_pb2.Content) -> Array:
    """(first, length, 0.5, -1) for text and ids; a precomputed feature stays as it is."""
    if content.HasField("features"):
        return np.frombuffer(content.features.data, "<f4")
    values = content.text.encode() if content.HasField("text") else list(content.token_ids.ids)
    return np.array([values[0], len(values), 0.5, -1.0], np.float32)


def failure(code: grpc.StatusCode, message: str, *details: Any) -> grpc.Status:
    """A status as the worker makes one."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return _Status(code, message, (("grpc-status-details-bin", status.SerializeToString()),))


def _softmax(logits: Array) -> Array:
    weights: Array = np.exp(logits - logits.max())
    return weights / weights.sum()  # type: ignore[no-any-return]


class _Status(grpc.Status):
    def __init__(self, code: grpc.StatusCode, details: str, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.code = code
        self.details = details
        self.trailing_metadata = metadata


PATH_ESCAPE = failure(
    grpc.StatusCode.PERMISSION_DENIED,
    "../secret leads out of the model roots. Name a directory under one of them.",
    error_details_pb2.ErrorInfo(reason="OUTSIDE_MODEL_ROOTS", domain="graft.dev", metadata={"path": "../secret"}),
    error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field="spec.features.backbone.path", description="leads out of the model roots"
            )
        ]
    ),
    error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000)),
)


#: What a quantized backbone consists of. The first is more than two chunks, the last is empty.
QUANTIZED = {"model.safetensors": bytes(range(256)) * 2400, "config.json": b"{}", "vocab.txt": b""}


def quantized_file(name: str, offset: int, total: int, data: bytes) -> quantize_pb2.QuantizeResponse:
    chunk = tensor_pb2.FileChunk(offset=offset, total_bytes=total, data=data)
    return quantize_pb2.QuantizeResponse(file=quantize_pb2.QuantizedFile(name=name, chunk=chunk))


class FakeWorker(
    extract_pb2_grpc.ExtractServiceServicer,
    quantize_pb2_grpc.QuantizeServiceServicer,
    train_pb2_grpc.TrainServiceServicer,
    worker_pb2_grpc.WorkerServiceServicer,
):
    """Knobs first, then what was seen."""

    MAX_MESSAGE_BYTES = 1 << 20

    def __init__(self) -> None:
        self.fails_with: grpc.Status | None = None
        self.pooling = features_pb2.POOLING_MEAN
        self.data_type = tensor_pb2.DATA_TYPE_F32
        self.wrong_sha256 = False
        self.skips_projector_byte = False
        self.ends_without_result = False
        self.waits_for_checkpoint_request = False
        self.hangs_in_file = False
        #: Sent after the tensors, instead of the files and the result.
        self.quantize_responses: list[quantize_pb2.QuantizeResponse] | None = None

        self.spec: Any = None
        self.items: list[features_pb2.Item] = []
        self.eval_items: list[features_pb2.Item] = []
        self.files: dict[str, bytes] = {}
        self.messages = 0
        self.flushed_after: list[int] = []
        self.saw_end_of_data = False
        self.called = threading.Event()
        self.cancelled = threading.Event()

    def DescribeWorker(
        self, request: worker_pb2.DescribeWorkerRequest, context: grpc.ServicerContext
    ) -> worker_pb2.DescribeWorkerResponse:
        return worker_pb2.DescribeWorkerResponse(version="fake", supported_architectures=["bert"])

    def Extract(
        self, requests: Iterator[extract_pb2.ExtractRequest], context: grpc.ServicerContext
    ) -> Iterable[extract_pb2.ExtractResponse]:
        context.add_callback(self.cancelled.set)
        self.spec = next(requests).spec
        self.called.set()
        if self.fails_with is not None:
            context.abort_with_status(self.fails_with)
        features = self.spec.features
        ready = features_pb2.FeatureSpec()
        ready.CopyFrom(features)
        ready.pooling = ready.pooling or self.pooling
        yield extract_pb2.ExtractResponse(
            ready=extract_pb2.ExtractReady(
                features=ready, feature_size=SIZE, prediction_size=2 if self.spec.HasField("projector") else 0
            )
        )
        for request in requests:
            self.messages += 1
            if request.HasField("projector_file"):
                self._receive("projector", request.projector_file)
                continue
            if request.HasField("flush"):
                self.flushed_after.append(len(self.items))
                continue
            self.items += request.items.items
            results = [part for item in reversed(request.items.items) for part in self._results(item, ready.pooling)]
            yield extract_pb2.ExtractResponse(results=extract_pb2.ResultBatch(results=results))

    def _results(self, item: features_pb2.Item, pooling: int) -> Iterator[extract_pb2.ItemResult]:
        feature = feature_of(item.content)
        if self.spec.HasField("projector"):
            tensors = safetensors.parse(self.files["projector"])
            logits = feature @ tensors["weight"].T + tensors["bias"]
            yield extract_pb2.ItemResult(
                number=item.number, logits=encode(logits), probabilities=encode(_softmax(logits))
            )
        elif pooling == features_pb2.POOLING_NONE:
            # Three rows in two parts, the later one first.
            for first, count in ((2, 1), (0, 2)):
                rows = np.stack([feature + row for row in range(first, first + count)])
                yield extract_pb2.ItemResult(number=item.number, features=encode(rows), first_row=first, tokens=3)
        else:
            yield extract_pb2.ItemResult(
                number=item.number, features=self._encode(feature), tokens=int(feature[1]), truncated_tokens=1
            )

    def _encode(self, feature: Array) -> tensor_pb2.Tensor:
        if self.data_type == tensor_pb2.DATA_TYPE_BF16:
            halves = (feature.view("<u4") >> 16).astype("<u2")
            return tensor_pb2.Tensor(data_type=self.data_type, shape=feature.shape, data=halves.tobytes())
        return encode(feature.astype("<f2") if self.data_type == tensor_pb2.DATA_TYPE_F16 else feature)

    def Train(
        self, requests: Iterator[train_pb2.TrainRequest], context: grpc.ServicerContext
    ) -> Iterable[train_pb2.TrainResponse]:
        context.add_callback(self.cancelled.set)
        self.spec = next(requests).spec
        self.called.set()
        if self.fails_with is not None:
            context.abort_with_status(self.fails_with)
        audit = train_pb2.ParameterAudit(
            trainable=[train_pb2.ParameterInfo(name="weight", shape=[2, SIZE])],
            trainable_parameters=2 * SIZE,
            frozen_digest="f00d",
        )
        yield train_pb2.TrainResponse(ready=train_pb2.TrainReady(spec=self.spec, audit=audit))
        for request in requests:
            self.messages += 1
            kind = request.WhichOneof("message")
            if kind == "end_of_data":
                self.saw_end_of_data = True
                break
            if kind == "train_items":
                self.items += request.train_items.items
            elif kind == "eval_items":
                self.eval_items += request.eval_items.items
            elif kind == "checkpoint_file":
                self._receive("checkpoint", request.checkpoint_file)
            else:
                self._receive("initial", request.initial_projector_file)
        if not self.saw_end_of_data:
            return
        count = len(self.items)
        yield train_pb2.TrainResponse(
            extraction=train_pb2.ExtractionProgress(items_done=count, items_received=count, tokens=7)
        )
        yield train_pb2.TrainResponse(
            started=train_pb2.TrainingStarted(train_items=count, eval_items=len(self.eval_items), total_steps=2)
        )
        yield train_pb2.TrainResponse(training=train_pb2.TrainingProgress(step=1, epoch=0.5, loss=0.375))
        yield train_pb2.TrainResponse(
            log=train_pb2.LogEntry(step=1, epoch=0.5, loss=0.25, grad_norm=2, learning_rate=1e-3)
        )
        yield train_pb2.TrainResponse(
            evaluation=train_pb2.Evaluation(step=1, epoch=0.5, metrics={"eval_loss": 0.5, "eval_accuracy": 0.75})
        )
        if self.waits_for_checkpoint_request:
            next(requests)
        checkpoint = bytes(range(256)) * 2400  # More than two chunks.
        for chunk in cut(checkpoint):
            yield train_pb2.TrainResponse(checkpoint=train_pb2.Checkpoint(step=1, chunk=chunk))
        projector = safetensors.serialize(
            {"weight": np.arange(2 * SIZE, dtype=np.float32).reshape(2, SIZE), "bias": np.ones(2, np.float32)}
        )
        for chunk in cut(projector):
            if self.skips_projector_byte:
                chunk.data = chunk.data[:-1]
            yield train_pb2.TrainResponse(projector_file=chunk)
        if self.ends_without_result:
            return
        yield train_pb2.TrainResponse(
            result=train_pb2.TrainResult(
                step=2,
                epoch=1,
                train_loss=0.125,
                audit=audit,
                best_step=2,
                projector_sha256="0" * 64 if self.wrong_sha256 else hashlib.sha256(projector).hexdigest(),
            )
        )

    def Quantize(
        self, request: quantize_pb2.QuantizeRequest, context: grpc.ServicerContext
    ) -> Iterable[quantize_pb2.QuantizeResponse]:
        context.add_callback(self.cancelled.set)
        self.spec = request
        self.called.set()
        if self.fails_with is not None:
            context.abort_with_status(self.fails_with)
        for index in range(2):
            yield quantize_pb2.QuantizeResponse(
                tensor=quantize_pb2.QuantizedTensor(
                    name=f"layer.{index}",
                    index=index,
                    total=2,
                    source_bytes=400,
                    result_bytes=100,
                    relative_error=0.125,
                    max_error=0.5,
                )
            )
        if self.quantize_responses is not None:
            yield from self.quantize_responses
            return
        if not request.destination:
            yield from self._quantized_files()
        yield quantize_pb2.QuantizeResponse(
            result=quantize_pb2.QuantizeResult(
                source_bytes=800,
                result_bytes=200,
                digest="f00d",
                destination=request.destination and f"/writable/{request.destination}",
                relative_error=0.0625,
            )
        )

    def _quantized_files(self) -> Iterator[quantize_pb2.QuantizeResponse]:
        for name, content in QUANTIZED.items():
            if not content:
                yield quantized_file(name, 0, 0, b"")
            for chunk in cut(content):
                yield quantized_file(name, chunk.offset, chunk.total_bytes, chunk.data)
                if self.hangs_in_file:
                    self.cancelled.wait()
                    return

    def _receive(self, name: str, chunk: tensor_pb2.FileChunk) -> None:
        content = self.files.get(name, b"")
        assert chunk.offset == len(content)
        self.files[name] = content + chunk.data
