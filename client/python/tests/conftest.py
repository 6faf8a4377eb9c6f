"""A worker made of the generated servicers, in this process, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from fake_worker import FakeWorker

import graft
from graft.v1 import extract_pb2_grpc, quantize_pb2_grpc, train_pb2_grpc, worker_pb2_grpc


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def client(worker: FakeWorker) -> Iterator[graft.Client]:
    server = grpc.server(
        futures.ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", FakeWorker.MAX_MESSAGE_BYTES)]
    )
    extract_pb2_grpc.add_ExtractServiceServicer_to_server(worker, server)
    quantize_pb2_grpc.add_QuantizeServiceServicer_to_server(worker, server)
    train_pb2_grpc.add_TrainServiceServicer_to_server(worker, server)
    worker_pb2_grpc.add_WorkerServiceServicer_to_server(worker, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with graft.Client(f"127.0.0.1:{port}") as client:
        yield client
    server.stop(None).wait()
