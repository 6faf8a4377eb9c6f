"""One call under way: a lazy stream of requests, and its responses with errors translated."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Generic, TypeVar

import grpc

from graft import errors

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")
_Result = TypeVar("_Result")
_Self = TypeVar("_Self", bound="Stream[Any, Any, Any]")


class Call(Generic[_Request, _Response]):
    """A bidirectional stream that starts when it is made. Iterate over it for the responses.

    gRPC pulls `requests` in a thread of its own, and only as fast as the worker takes them.
    """

    def __init__(
        self,
        method: Callable[..., Any],
        requests: Iterable[_Request],
        *,
        timeout: float | None,
        metadata: Iterable[tuple[str, str]],
    ) -> None:
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._rpc = method(self._guarded(iter(requests)), timeout=timeout, metadata=tuple(metadata))
        self._started.set()

    def __iter__(self) -> Iterator[_Response]:
        """Yields the responses. Leaving the loop early cancels the call."""
        try:
            yield from self._rpc
        except grpc.RpcError as error:
            if self._failure is not None:
                raise self._failure from None
            raise errors.from_rpc_error(error) from error
        finally:
            self.cancel()

    def cancel(self) -> None:
        """Cancels the call, from any thread; nothing happens if it is over."""
        self._rpc.cancel()

    def on_end(self, callback: Callable[[], None]) -> None:
        """Runs the callback when the call is over, at once if it is already."""
        if not self._rpc.add_callback(callback):
            callback()

    def _guarded(self, requests: Iterator[_Request]) -> Iterator[_Request]:
        """Keeps what the caller's items raise, for the thread that reads the responses; gRPC would only log it."""
        try:
            yield from requests
        except Exception as failure:
            # Cancelled before the stream of requests ends: its end would tell the worker that the data is complete.
            self._failure = failure
            self._started.wait()
            self.cancel()


class Stream(Iterator[_Result], Generic[_Request, _Response, _Result]):
    """Results of a call, which starts when the first one is asked for."""

    def __init__(
        self,
        start: Callable[[], Call[_Request, _Response]],
        read: Callable[[Iterator[_Response]], Iterator[_Result]],
    ) -> None:
        self._start = start
        self._read = read
        self._call: Call[_Request, _Response] | None = None
        self._results: Iterator[_Result] = iter(())

    def __next__(self) -> _Result:
        if self._call is None:
            self._call = self._start()
            self._results = self._read(iter(self._call))
        return next(self._results)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Cancels the call, from any thread; nothing happens if it is over. A thread that waits gets Cancelled."""
        if self._call is not None:
            self._call.cancel()
