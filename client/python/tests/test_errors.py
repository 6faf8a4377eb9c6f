from __future__ import annotations

import grpc
import pytest
from fake_worker import PATH_ESCAPE, FakeWorker, failure
from google.rpc import error_details_pb2

import graft


def test_details_are_read(client: graft.Client, worker: FakeWorker) -> None:
    worker.fails_with = PATH_ESCAPE
    with pytest.raises(graft.PermissionDenied) as caught:
        client.extract(["a"], backbone="../secret")
    error = caught.value
    assert error.code is grpc.StatusCode.PERMISSION_DENIED
    assert error.reason == "OUTSIDE_MODEL_ROOTS"
    assert error.metadata == {"path": "../secret"}
    assert error.violations == (graft.Violation("spec.features.backbone.path", "leads out of the model roots"),)
    assert error.retry_after == 1.5
    assert str(error) == (
        "PERMISSION_DENIED (OUTSIDE_MODEL_ROOTS): ../secret leads out of the model roots. "
        "Name a directory under one of them."
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, graft.InvalidArgument),
        (grpc.StatusCode.NOT_FOUND, graft.NotFound),
        (grpc.StatusCode.FAILED_PRECONDITION, graft.FailedPrecondition),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, graft.ResourceExhausted),
        (grpc.StatusCode.ABORTED, graft.Aborted),
        (grpc.StatusCode.DATA_LOSS, graft.DataLoss),
        (grpc.StatusCode.UNAVAILABLE, graft.Unavailable),
        (grpc.StatusCode.INTERNAL, graft.Internal),
        (grpc.StatusCode.UNKNOWN, graft.GraftError),
    ],
)
def test_each_code_has_its_class(
    client: graft.Client, worker: FakeWorker, code: grpc.StatusCode, kind: type[graft.GraftError]
) -> None:
    worker.fails_with = failure(code, "what to do")
    with pytest.raises(kind) as caught:
        client.train([("a", 0), ("b", 1)], backbone="tiny").result()
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.reason, caught.value.retry_after) == ("what to do", "", None)


def test_reasons_of_others_are_not_ours(client: graft.Client, worker: FakeWorker) -> None:
    worker.fails_with = failure(
        grpc.StatusCode.UNAVAILABLE, "mesh", error_details_pb2.ErrorInfo(reason="X", domain="elsewhere.example")
    )
    with pytest.raises(graft.Unavailable) as caught:
        client.extract(["a"], backbone="tiny")
    assert caught.value.reason == ""


def test_no_worker() -> None:
    with graft.Client("127.0.0.1:1") as client, pytest.raises(graft.Unavailable):
        client.describe()


def test_deadline(client: graft.Client, worker: FakeWorker) -> None:
    worker.waits_for_checkpoint_request = True
    with pytest.raises(graft.DeadlineExceeded):
        client.train([("a", 0), ("b", 1)], backbone="tiny", timeout=0.2).result()
