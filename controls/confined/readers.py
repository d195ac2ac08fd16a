"""Bytes that somebody sent are read by processes that can do little else.

Each process that serves keeps servers of readers (`server.py`), which fork a process
for every file: bounded in memory, time, files and network, with no socket of ours and
no variable of our environment. Source: UP-03, UP-08, UP-11.
"""

from __future__ import annotations

import logging
import os
import select
import stat
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, Any, BinaryIO, cast

from controls.confined.running import ReaderServer, ServerAway
from controls.errors import SrmError

__all__ = ["Heavy", "Reader", "ReadersAway", "readers_without_network"]

log = logging.getLogger(__name__)
PATIENCE = 5  # seconds beyond a reader's own, for a machine that is busy
CHUNK = 256 * 1024
IN_MEMORY = 1_000_000  # bytes of an answer; a longer one waits on the disk
# By the name of a server: what holds its readers, which it loads as it starts.
MODULES: defaultdict[str, set[str]] = defaultdict(set)


class Heavy(Exception):
    """The reader went beyond its limits, or broke off."""


class ReadersAway(SrmError):
    """No reader could be started; nothing is known about the file."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "Files cannot be looked into at the moment. Nothing was stored; try again"
            " in a minute."
        )


@dataclass(frozen=True)
class Reader:
    """A function `name` of `module` that reads bytes, and what it may use for it.

    It is called as `name(body, answer, *arguments)` with two binary files, the first
    seekable; arguments are whatever JSON holds. It imports nothing that needs settings.
    `libraries` are loaded once for all files, and not by the process that serves. What
    a fork costs grows with what its server has loaded: readers that need little and are
    asked often have a `server` of their own.
    """

    module: str
    name: str
    memory: int  # bytes, beyond what the process has when it begins
    processor: int  # seconds
    seconds: int  # in all
    written: int = 0  # bytes of one temporary file
    answer: int = 1_000_000  # bytes
    libraries: tuple[str, ...] = ()
    server: str = "all kinds"

    def __post_init__(self) -> None:
        MODULES[self.server].update([self.module, *self.libraries])

    def read(
        self,
        body: BinaryIO,
        *arguments: Any,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> IO[bytes]:
        """What the reader answers, from its beginning. The caller closes it.

        `body` is read from its first byte, wherever it stands. `meanwhile` is called
        while the reader works, and must do no harm where it is called twice. Raises
        Heavy where the reader exceeds a limit or breaks off, ReadersAway where none can
        be started, and what `meanwhile` raises.
        """
        token = os.urandom(16)
        limits = [self.memory, self.processor, self.seconds, self.written]
        order = [self.module, self.name, arguments, token.hex(), limits]
        with _as_file(body) as file:
            for _ in range(2):  # a server may be killed, for its memory perhaps
                try:
                    return self._answer(order, file.fileno(), token, meanwhile)
                except ServerAway:
                    continue
        raise ReadersAway

    def _answer(
        self, order: list[Any], file: int, token: bytes, meanwhile: Callable[[], None]
    ) -> IO[bytes]:
        """The answer to one order. Raises Heavy, ReadersAway, ServerAway."""
        server = ReaderServer.of_this_process(self.server, sorted(MODULES[self.server]))
        ours, theirs = os.pipe()
        answer = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        try:
            with os.fdopen(ours, "rb", buffering=0) as pipe:
                with os.fdopen(theirs, "wb"):
                    server.send(order, file, theirs)
                meanwhile()
                _drain(pipe, answer, self.answer, self.seconds + PATIENCE)
            try:
                _require_end(answer, token, self)
            except Heavy:
                if server.is_there():
                    raise
                raise ServerAway("It ended meanwhile.") from None
        except BaseException:
            answer.close()
            raise
        return cast("IO[bytes]", answer)


def _as_file(body: BinaryIO) -> BinaryIO:
    """A descriptor of its own with the same bytes, which the reader may seek in."""
    with suppress(OSError, AttributeError):
        number = body.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            body.flush()
            return os.fdopen(os.dup(number), "rb", buffering=0)  # type: ignore[return-value]
    copy = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - the caller closes it
    if body.seekable():
        body.seek(0)
    while chunk := body.read(CHUNK):
        copy.write(chunk)
    copy.flush()
    return copy


def _drain(pipe: IO[bytes], into: Any, limit: int, seconds: int) -> None:
    """Take what comes until its end, a limit, or the end of patience."""
    until, size = time.monotonic() + seconds, 0
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    while True:
        left = until - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Heavy("too slow")
        chunk = pipe.read(CHUNK)
        if not chunk:
            return
        size += len(chunk)
        if size > limit + 500:  # its last words are no part of the answer
            raise Heavy("too long an answer")
        into.write(chunk)


def _require_end(answer: Any, token: bytes, reader: Reader) -> None:
    """Raise unless the reader came to its end; take off the mark that says so."""
    size = answer.seek(0, 2)
    start = max(0, size - 500)
    answer.seek(start)
    tail = answer.read()
    at = tail.rfind(token)
    outcome = tail[at + len(token) :] if at >= 0 else b"broke off"
    if outcome == b"away":
        raise ReadersAway
    if outcome != b"done":
        name = f"{reader.module}.{reader.name}"
        log.warning("%s: %s", name, outcome.decode("utf-8", "replace"))
        raise Heavy(outcome.decode("utf-8", "replace"))
    answer.truncate(start + at)
    answer.seek(0)


def readers_without_network() -> bool:
    """Whether readers have a network namespace of their own, with nothing in it.

    Asks the server that loads least. Raises ReadersAway where there are no readers.
    """
    name = min(MODULES, key=lambda name: (len(MODULES[name]), name))
    try:
        server = ReaderServer.of_this_process(name, sorted(MODULES[name]))
        return server.without_network
    except ServerAway as away:
        raise ReadersAway from away
