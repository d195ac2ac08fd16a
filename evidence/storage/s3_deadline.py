"""Requests to a bucket that end in time, however slowly their bytes drip.

A socket's timeout begins anew with every byte: a bucket that sends one now and then
would hold a thread for ever. So the connection is cut from outside when time is up.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

_running = threading.local()


class Deadline:
    """Within it, what this thread asks of a bucket ends after `seconds` in all.

    `over` says that it was cut: whatever came then is not all. `spoken_on` is the
    socket that is cut: the last one asked on, or the one given, whose answer is read.
    """

    def __init__(self, seconds: float, spoken_on: socket.socket | None = None) -> None:
        self.spoken_on, self.over = spoken_on, False
        self._asking: Any = None  # a connection that may have no socket yet
        self._outer: Deadline | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._outer = getattr(_running, "deadline", None)
        _running.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _running.deadline = self._outer

    def begins(self, connection: Any) -> None:
        """Something is asked on a connection. Raises TimeoutError once time is up."""
        self._asking, self.spoken_on = connection, None
        self.refuse_over()

    def refuse_over(self) -> None:
        """Raise TimeoutError once time is up."""
        if self.over:
            raise TimeoutError("The time for this answer is up.")

    def _cut(self) -> None:
        self.over = True
        spoken_on = self.spoken_on or getattr(self._asking, "sock", None)
        if spoken_on is not None:
            with suppress(OSError):  # whoever reads or writes there is woken
                socket.socket.shutdown(spoken_on, socket.SHUT_RDWR)


class _Cuttable:
    """A connection that the deadline of its thread knows."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        deadline: Deadline | None = getattr(_running, "deadline", None)
        if deadline is not None:
            deadline.begins(self)
        super().request(*args, **kwargs)  # type: ignore[misc]

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._refuse_over()

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        deadline: Deadline | None = getattr(_running, "deadline", None)
        if deadline is not None:  # the connection lets go of it, its answer does not
            deadline.spoken_on = self.sock  # type: ignore[attr-defined]
        self._refuse_over()
        answer = super().getresponse(*args, **kwargs)  # type: ignore[misc]
        try:
            self._refuse_over()  # a head that was cut is read as a short one
        except TimeoutError:
            answer.close()
            raise
        return answer

    def _consume_headers(self, fp: Any) -> None:
        """Read to the end of what says *100 Continue*; botocore's own reads for ever
        where the other side has gone."""
        while (line := fp.readline()) != b"\r\n":
            if not line:
                raise ConnectionResetError("The connection ended before its answer.")

    def _refuse_over(self) -> None:
        deadline: Deadline | None = getattr(_running, "deadline", None)
        if deadline is not None:
            deadline.refuse_over()


class _Connection(_Cuttable, AWSHTTPConnection):
    pass


class _SecureConnection(_Cuttable, AWSHTTPSConnection):
    pass


# Where urllib3 lets one say which connections a pool makes; without a deadline they
# are as botocore's own.
AWSHTTPConnectionPool.ConnectionCls = _Connection
AWSHTTPSConnectionPool.ConnectionCls = _SecureConnection
