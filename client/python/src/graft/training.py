"""One training run: what is sent, and the events that come back."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Callable

from graft import errors
from graft.calls import Call, Stream
from graft.events import (
    Checkpoint,
    Evaluation,
    Event,
    Extraction,
    Log,
    Ready,
    Result,
    Started,
    Training,
    audit_of,
)
from graft.files import Assembly, cut
from graft.items import LabelledItem, batches, item, label_of
from graft.manifest import Manifest
from graft.objectives import BinaryCrossEntropy, Classes, CrossEntropy, Objective, value_label
from graft.progress import TrainingBar
from graft.projector import projector_of
from graft.v1 import features_pb2, train_pb2

_Call = Call[train_pb2.TrainRequest, train_pb2.TrainResponse]
_Start = Callable[[Iterator[train_pb2.TrainRequest]], _Call]


@dataclass(frozen=True)
class Job:
    """All that is sent."""

    spec: train_pb2.TrainSpec
    objective: Objective
    classes: Classes
    train_items: Iterable[LabelledItem]
    eval_items: Iterable[LabelledItem]
    initial_projector: bytes = b""
    checkpoint: bytes = b""

    def requests(self) -> Iterator[train_pb2.TrainRequest]:
        """Yields everything up to the end of the data."""
        yield train_pb2.TrainRequest(spec=self.spec)
        for chunk in cut(self.initial_projector):
            yield train_pb2.TrainRequest(initial_projector_file=chunk)
        for chunk in cut(self.checkpoint):
            yield train_pb2.TrainRequest(checkpoint_file=chunk)
        train_count = 0
        for batch in batches(self._messages(self.train_items, 0)):
            train_count += len(batch.items)
            yield train_pb2.TrainRequest(train_items=batch)
        for batch in batches(self._messages(self.eval_items, train_count)):
            yield train_pb2.TrainRequest(eval_items=batch)
        yield train_pb2.TrainRequest(end_of_data=train_pb2.EndOfData())

    def _messages(self, items: Iterable[LabelledItem], first: int) -> Iterator[features_pb2.Item]:
        for number, labelled in enumerate(items, first):
            value, label = label_of(labelled)
            yield item(number, value, self._label(label))

    def _label(self, label: Any) -> features_pb2.Label | None:
        # Without a label the worker says which item lacks it, and for which objective.
        if label is None:
            return None
        if isinstance(self.objective, (CrossEntropy, BinaryCrossEntropy)):
            return self.objective.label(label, self.classes)
        return value_label(label)


class TrainingRun(Stream[train_pb2.TrainRequest, train_pb2.TrainResponse, Event]):
    """Iterate over it for the events; the last one is the Result. The call starts with the first event asked for."""

    def __init__(self, job: Job, start: _Start, bar: TrainingBar | None) -> None:
        checkpoint_requests: queue.SimpleQueue[bool] = queue.SimpleQueue()

        def start_with_end() -> _Call:
            call = start(_requests(job, checkpoint_requests))
            call.on_end(lambda: checkpoint_requests.put(False))
            return call

        self._reader = _Reader(job)
        super().__init__(start_with_end, self._reader.events)
        self._checkpoint_requests = checkpoint_requests
        self._bar = bar

    def __next__(self) -> Event:
        event = super().__next__()
        if self._bar is not None:
            self._bar.show(event)
        return event

    @property
    def last_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint that arrived, to go on from if the run fails."""
        return self._reader.last_checkpoint

    def request_checkpoint(self) -> None:
        """Asks for a checkpoint after the current step, from any thread; it arrives as an event."""
        self._checkpoint_requests.put(True)

    def result(self) -> Result:
        """Runs to the end, dropping the other events that are left."""
        for event in self:
            if isinstance(event, Result):
                return event
        raise RuntimeError("the run is over, and its result was already read")


def _requests(job: Job, checkpoint_requests: queue.SimpleQueue[bool]) -> Iterator[train_pb2.TrainRequest]:
    yield from job.requests()
    # The stream stays open for requests until the call is over.
    while checkpoint_requests.get():
        yield train_pb2.TrainRequest(checkpoint_request=train_pb2.CheckpointRequest())


class _Reader:
    """Turns responses into events, and checks what can be checked."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ready = train_pb2.TrainReady()
        self.last_checkpoint: Checkpoint | None = None
        self._checkpoint = Assembly("checkpoint")
        self._projector_file = Assembly("projector")
        self._projector: bytes | None = None
        self._evaluation: dict[str, float] = {}

    def events(self, responses: Iterator[train_pb2.TrainResponse]) -> Iterator[Event]:
        result = None
        for response in responses:
            event = self._event(response)
            if event is not None:
                result = event if isinstance(event, Result) else None
                yield event
        if result is None:
            raise errors.corrupt("The worker ended the call without a result. Run it again.")

    def _event(self, response: train_pb2.TrainResponse) -> Event | None:
        kind = response.WhichOneof("message")
        if kind == "ready":
            self._ready = response.ready
            return Ready(response.ready.spec, audit_of(response.ready.audit), self._job.classes.names)
        if kind == "extraction":
            progress = response.extraction
            return Extraction(progress.items_done, progress.items_received, progress.tokens, progress.truncated_items)
        if kind == "started":
            started = response.started
            return Started(
                started.train_items,
                started.eval_items,
                started.total_steps,
                started.first_step,
                started.truncated_items,
            )
        if kind == "training":
            training = response.training
            return Training(training.step, training.epoch, training.loss)
        if kind == "log":
            log = response.log
            return Log(log.step, log.epoch, log.loss, log.grad_norm, log.learning_rate)
        if kind == "evaluation":
            evaluation = response.evaluation
            self._evaluation = dict(evaluation.metrics)
            return Evaluation(evaluation.step, evaluation.epoch, self._evaluation)
        if kind == "checkpoint":
            return self._add_to_checkpoint(response.checkpoint)
        if kind == "projector_file":
            self._projector = self._projector_file.add(response.projector_file)
            return None
        if kind == "result":
            return self._result(response.result)
        # A message of a later version, which this one can do without.
        return None

    def _add_to_checkpoint(self, message: train_pb2.Checkpoint) -> Checkpoint | None:
        content = self._checkpoint.add(message.chunk)
        if content is None:
            return None
        self._checkpoint = Assembly("checkpoint")
        self.last_checkpoint = Checkpoint(message.step, content)
        return self.last_checkpoint

    def _result(self, message: train_pb2.TrainResult) -> Result:
        projector = self._projector
        if projector is None or hashlib.sha256(projector).hexdigest() != message.projector_sha256:
            raise errors.corrupt(
                "The projector did not arrive as the worker wrote it: "
                + ("it is not complete." if projector is None else "its SHA-256 differs."),
            )
        if message.audit.frozen_digest != self._ready.audit.frozen_digest:
            raise errors.corrupt("The frozen part is not what it was when training began.", reason="BACKBONE_CHANGED")
        manifest = Manifest(
            self._ready.spec, self._job.classes, self._ready.audit.frozen_digest, message, self._evaluation
        )
        return Result(
            step=message.step,
            epoch=message.epoch,
            train_loss=message.train_loss,
            train_runtime_seconds=message.train_runtime_seconds,
            extraction_seconds=message.extraction_seconds,
            tokens=message.tokens,
            audit=audit_of(message.audit),
            stop_reason=message.stop_reason,
            best_step=message.best_step,
            projector=projector,
            projector_sha256=message.projector_sha256,
            module=projector_of(projector, manifest),
        )
