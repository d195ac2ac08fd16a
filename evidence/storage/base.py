"""What every evidence store does, and how bytes come in, whatever the store.

One file: bytes are counted, hashed and handed over in one pass.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from controls.errors import SrmError
from controls.grammar import size_in_words
from evidence.storage.failpoints import failpoint

HEAD_BYTES = 4096
HEX = frozenset("0123456789abcdef")


class BlobTooLarge(SrmError):
    """More bytes than the limit; nothing was stored."""

    status_code = 413


class OtherBytes(SrmError):
    """The store holds something else under the digest; nothing was stored."""

    status_code = 409


class StoreFull(SrmError):
    """The disk has no space left; nothing was stored (RE-07)."""

    status_code = 507


NO_SPACE_LEFT = (
    "The evidence store has no space left. Nothing was stored; tell an administrator,"
    " and try again when there is space."
)
# The disk, a quota of it, or what one file of this process may hold.
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def refuse_full_disk() -> Iterator[None]:
    """Inside, a disk or a quota that is full raises StoreFull."""
    try:
        yield
    except OSError as failure:
        if failure.errno not in NO_SPACE:
            raise
        raise StoreFull(NO_SPACE_LEFT) from failure


PROBE_BYTES = 65536  # an upload of a page of text needs no more


def probe_folder(folder: Path) -> None:
    """Return when a small file can be written here now. Raises OSError: a full disk."""
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(PROBE_BYTES))
        probe.flush()
        os.fsync(probe.fileno())


class StoreUnreachable(SrmError):
    """The store does not answer, or refuses us; nothing is known about its bytes."""

    status_code = 503
    retry_after = 60  # seconds


class BrokeOff(OSError):
    """The store stopped, or was too slow, while its bytes were read."""


@contextmanager
def refuse_broken_off() -> Iterator[None]:
    """Inside, a store that breaks off while it is read raises StoreUnreachable."""
    try:
        yield
    except BrokeOff as broken:
        raise StoreUnreachable(f"{broken} Try again in a minute.") from broken


class Withheld(StoreUnreachable):
    """The store answers, and does not give out these bytes."""


@dataclass(frozen=True)
class StoredBytes:
    """What lies in the store: hex sha256, size in bytes, and the first bytes."""

    sha256: str
    size_bytes: int
    head: bytes


@dataclass(frozen=True)
class StoredObject:
    """One thing found in the store, whatever its name.

    `since` is when it came (UTC); `sha256` is empty where the name is no digest.
    """

    name: str
    sha256: str
    since: dt.datetime


def is_digest(name: str) -> bool:
    """Whether a name is a sha256 in lower-case hex."""
    return len(name) == 64 and not set(name) - HEX


def key_of(sha256: str) -> str:
    """`ab/abcdef…`. Raises ValueError for anything but a hex sha256."""
    if not is_digest(sha256):
        raise ValueError("not a sha256 in hex")
    return f"{sha256[:2]}/{sha256}"


def refuse_other_bytes(stored: StoredBytes, size: int | None) -> None:
    """Raise OtherBytes unless what lies there already is as long as it must be."""
    if size != stored.size_bytes:
        raise OtherBytes(
            f"The store holds something else under {stored.sha256[:12]}. Nothing was"
            " stored; ask an administrator to run evidence_fsck."
        )


class Store(ABC):
    """Bytes named by their sha256, written once, never overwritten."""

    # A folder of this machine where bytes wait under temporary names.
    incoming: Path

    def begin(self, *, limit: int) -> Incoming:
        """A place to write bytes to, piece by piece, up to `limit` bytes."""
        return Incoming(self, limit)

    def require_room(self, size: int) -> None:
        """Raise StoreFull where so many bytes have no room on the disk they come to."""
        if shutil.disk_usage(self.incoming).free < size:
            raise StoreFull(NO_SPACE_LEFT)

    def put(self, chunks: Iterable[bytes], *, limit: int) -> StoredBytes:
        """Write and hash in one pass; the bytes are durable when this returns.

        Raises BlobTooLarge as soon as `limit` bytes are exceeded, leaving nothing.
        """
        incoming = self.begin(limit=limit)
        try:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.keep()
        finally:
            incoming.close()

    @abstractmethod
    def settle(self, waiting: Path, stored: StoredBytes) -> None:
        """Give sealed bytes their final name; durable when this returns.

        The same bytes twice are kept once. Raises OtherBytes where something of
        another size has the name.
        """

    @abstractmethod
    def open(self, sha256: str) -> BinaryIO:
        """The bytes for reading, from the beginning; perhaps not seekable.

        Raises FileNotFoundError, OSError or Withheld where they cannot be read,
        ValueError for what is no digest.
        """

    @abstractmethod
    def has(self, sha256: str) -> bool:
        """Whether something lies under the digest. Does not read it."""

    @abstractmethod
    def destroy(self, sha256: str) -> str:
        """Delete the bytes; the sentence says what became of them. May run twice."""

    @abstractmethod
    def set_legal_hold(self, sha256: str, *, on: bool) -> None:
        """Have the store itself refuse to delete bytes; a folder cannot, and does not.

        Raises FileNotFoundError, StoreUnreachable.
        """

    @abstractmethod
    def everything(self) -> Iterator[StoredObject]:
        """All that lies in the store, except what is on its way in."""

    @abstractmethod
    def writable(self) -> bool:
        """Whether bytes can be stored here now."""

    def drop_unfinished(self, before: dt.datetime) -> int:
        """Delete what a crash left under temporary names; returns how many."""
        count = 0
        for path in self.incoming.iterdir():
            with suppress(FileNotFoundError):  # others finish meanwhile
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink()
                    count += 1
        return count


class Incoming:
    """Bytes on their way in, hashed as they come; gone on `close` unless kept.

    Order of use: `write` any number of times, `seal`, then `keep` or `close`.
    `kept` is whether the bytes have their final name.
    """

    def __init__(self, store: Store, limit: int) -> None:
        self.store, self.limit = store, limit
        with refuse_full_disk():
            handle, name = tempfile.mkstemp(dir=store.incoming)
        self._path, self._file = Path(name), os.fdopen(handle, "wb")
        self._digest, self._size, self._head = hashlib.sha256(), 0, b""
        self.kept = False

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises BlobTooLarge before anything beyond the limit is kept.

        Raises StoreFull where the disk is full; both leave nothing.
        """
        self._size += len(chunk)
        if self._size > self.limit:
            self.close()
            raise BlobTooLarge(f"More than {size_in_words(self.limit)}: not stored.")
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
        self._digest.update(chunk)
        with self._gone_when_full():
            self._file.write(chunk)
        failpoint("after-temp-write")

    def seal(self) -> StoredBytes:
        """End the bytes, still under a temporary name, so that they can be read."""
        if not self._file.closed:
            with self._gone_when_full():
                self._file.flush()
        return StoredBytes(self._digest.hexdigest(), self._size, self._head)

    def make_durable(self) -> None:
        """Have the disk hold the bytes: `keep` does it for what was not made so yet.

        Takes as long as the disk takes, so call it while something else is waited for.
        Until then the file stays open: another descriptor might not be told of bytes
        that could not be written.
        """
        if not self._file.closed:
            with self._gone_when_full():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            failpoint("after-fsync")

    def reread(self) -> BinaryIO:
        """The sealed bytes for reading, before they are kept."""
        self.seal()
        return self._path.open("rb")

    def keep(self) -> StoredBytes:
        """Give the bytes their final name; they are durable when this returns.

        Once they have it, nothing is done.
        """
        stored = self.seal()
        if not self.kept:
            self.keep_again()
        return stored

    def keep_again(self) -> None:
        """Give durable bytes their final name anew: a sweep may have taken it since."""
        stored = self.seal()
        self.make_durable()
        with refuse_full_disk():
            self.store.settle(self._path, stored)
        self.kept = True

    def close(self) -> None:
        """Drop what was not kept. May be called at any time and more than once."""
        with suppress(OSError):  # it writes what it holds, to a disk that may be full
            self._file.close()
        self._path.unlink(missing_ok=True)

    @contextmanager
    def _gone_when_full(self) -> Iterator[None]:
        try:
            with refuse_full_disk():
                yield
        except StoreFull:
            self.close()
            raise
