"""A second process for a part of a job, which begins with all that the first one knows.

For work that keeps a processor busy while the first process waits for a disk: threads
would wait for each other. It ends with the process that made it, whatever ends that.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import select
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from django.db import connections

log = logging.getLogger(__name__)
PAUSE = 1.0  # seconds between two looks at whether the first process may go on
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Tell = Callable[[str], None]


class Fork:
    """Calls `work` in a process of its own, with a function that tells a line of text.

    The process has connections to the database of its own. Used as a context: leaving
    it kills a process that is still at work, and waits for its end.
    """

    def __init__(self, work: Callable[[Tell], None]) -> None:
        self._ours, theirs = os.pipe()
        self._status: int | None = None
        parent = os.getpid()
        try:
            with warnings.catch_warnings():  # of threads: that of a lease only waits
                warnings.simplefilter("ignore", DeprecationWarning)
                gc.freeze()  # a collection would have the fork copy all that it got
                self._process = os.fork()
        except OSError:
            gc.unfreeze()
            os.close(self._ours)
            os.close(theirs)
            raise
        if self._process == 0:
            os.close(self._ours)
            _work_until_end(work, theirs, parent)
        gc.unfreeze()
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is None:
            os.kill(self._process, signal.SIGKILL)
            self._wait()
        os.close(self._ours)

    def lines(self, look: Callable[[], None]) -> Iterator[str]:
        """What it tells, until its end. `look` is called each second meanwhile, and
        may raise."""
        poll, held = select.poll(), b""
        poll.register(self._ours, select.POLLIN)
        while True:
            if not poll.poll(PAUSE * 1000):
                look()
                continue
            piece = os.read(self._ours, 65_536)
            if not piece:
                break
            *whole, held = (held + piece).split(b"\n")
            yield from (line.decode() for line in whole)
        self._wait()

    def how_it_ended(self) -> str:
        """A few words, once `lines` is over."""
        code = os.waitstatus_to_exitcode(self._status or 0)
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with {code}"

    def _wait(self) -> None:
        self._status = os.waitpid(self._process, 0)[1]


def _work_until_end(work: Callable[[Tell], None], pipe: int, parent: int) -> None:
    """All that the second process does. Never returns."""
    code = 1
    try:
        _end_with(parent)
        inherited = _leave_connections()

        def pass_on(line: str) -> None:
            data = line.encode() + b"\n"
            while data:
                data = data[os.write(pipe, data) :]

        work(pass_on)
        code = 0
        del inherited
    except BaseException:
        with suppress(Exception):
            log.exception("A second process broke off")
    finally:
        os._exit(code)  # nothing that the first process means to do at its end


def _end_with(parent: int) -> None:
    """Be killed as the first process ends, and by whatever ends processes."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be said
        os._exit(1)


def _leave_connections() -> list[Any]:
    """Have connections made anew here. Those of the first process, which the caller
    keeps, are neither used nor closed: it talks by the same sockets."""
    inherited = []
    for alias in connections:
        inherited.append(connections[alias])
        del connections[alias]
    return inherited
