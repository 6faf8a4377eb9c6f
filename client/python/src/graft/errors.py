"""What a call can end with: one class per gRPC status, with the reason and the details that the worker gave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN = "graft.dev"
_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class Violation:
    """A field of the request that the worker refused."""

    field: str
    description: str


class GraftError(Exception):
    """A call that failed. Branch on `reason` (or the subclass); show `message` to people."""

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        violations: Iterable[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code.name}{f' ({reason})' if reason else ''}: {message}")
        self.code = code
        #: What the person should read: what was wrong, where, and what to do.
        self.message = message
        #: UPPER_SNAKE, one of those listed in the proto's comments; empty if the error is not Graft's own.
        self.reason = reason
        #: The variables of the message.
        self.metadata = metadata or {}
        self.violations = tuple(violations)
        #: Seconds after which another try can help; None if it cannot, as far as the worker knows.
        self.retry_after = retry_after


class InvalidArgument(GraftError):
    """The spec or an item is malformed; `violations` name the fields."""


class NotFound(GraftError):
    """No such backbone."""


class PermissionDenied(GraftError):
    """The backbone's path leads out of the worker's model roots."""


class FailedPrecondition(GraftError):
    """The backbone is of a kind that the worker does not support, or damaged."""


class ResourceExhausted(GraftError):
    """Too large for the worker, or too many calls at the same time."""


class Aborted(GraftError):
    """Training had to stop."""


class DataLoss(GraftError):
    """What arrived, or what the worker holds, is not what it should be."""


class Unavailable(GraftError):
    """The worker cannot be reached or is going away; another one can take the call."""


class Cancelled(GraftError):
    """The call was cancelled by its own client."""


class DeadlineExceeded(GraftError):
    """The call took longer than its timeout."""


class Unimplemented(GraftError):
    """This worker does not have the method."""


class Internal(GraftError):
    """A defect of the worker; its log has the cause."""


_BY_CODE: dict[grpc.StatusCode, type[GraftError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.ABORTED: Aborted,
    grpc.StatusCode.DATA_LOSS: DataLoss,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.INTERNAL: Internal,
}


def from_rpc_error(error: grpc.RpcError) -> GraftError:
    """Translates what grpcio raised."""
    # Every RpcError that a call raises is a grpc.Call too, which the types do not say.
    assert isinstance(error, grpc.Call)
    code = error.code() or grpc.StatusCode.UNKNOWN
    message = error.details() or "no details"
    reason = ""
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    retry_after: float | None = None
    for detail in _details(error):
        info, request, retry = (
            error_details_pb2.ErrorInfo(),
            error_details_pb2.BadRequest(),
            error_details_pb2.RetryInfo(),
        )
        if detail.Unpack(info) and info.domain == _DOMAIN:
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(request):
            violations += [Violation(v.field, v.description) for v in request.field_violations]
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    return _BY_CODE.get(code, GraftError)(
        code, message, reason=reason, metadata=metadata, violations=violations, retry_after=retry_after
    )


def corrupt(message: str, *, reason: str = "BROKEN_CONTRACT") -> DataLoss:
    """An answer that this package found to break the contract."""
    return DataLoss(grpc.StatusCode.DATA_LOSS, message, reason=reason)


def invalid(reason: str, message: str, **metadata: object) -> InvalidArgument:
    """An argument that this package can see is wrong, with the reason that the worker would give."""
    return InvalidArgument(
        grpc.StatusCode.INVALID_ARGUMENT,
        message,
        reason=reason,
        metadata={key: str(value) for key, value in metadata.items()},
    )


def _details(call: grpc.Call) -> list[Any]:
    for key, value in call.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                # Not written by a Graft worker (a proxy, say). The code and the message still stand.
                return []
    return []
