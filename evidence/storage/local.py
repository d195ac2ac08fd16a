"""A folder as evidence store: temp file, fsync, link to the digest, fsync folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from controls.errors import SrmError

HEAD_BYTES = 4096


class BlobTooLarge(SrmError):
    """More bytes than the limit; nothing was stored."""

    status_code = 413


@dataclass(frozen=True)
class StoredBytes:
    """What lies in the store: hex sha256, size in bytes, and the first bytes."""

    sha256: str
    size_bytes: int
    head: bytes


class Incoming:
    """Bytes on their way in, hashed as they come; gone on `close` unless kept.

    Order of use: `write` any number of times, `seal`, then `keep` or `close`.
    """

    def __init__(self, store: LocalStore, limit: int) -> None:
        self.store, self.limit = store, limit
        handle, name = tempfile.mkstemp(dir=store.incoming)
        self._path, self._file = Path(name), os.fdopen(handle, "wb")
        self._digest, self._size, self._head = hashlib.sha256(), 0, b""

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises BlobTooLarge before anything beyond the limit is kept."""
        self._size += len(chunk)
        if self._size > self.limit:
            self.close()
            raise BlobTooLarge(f"More than {self.limit // 1_000_000} MB: not stored.")
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
        self._digest.update(chunk)
        self._file.write(chunk)

    def seal(self) -> StoredBytes:
        """End the bytes and make them durable, still under a temporary name."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return StoredBytes(self._digest.hexdigest(), self._size, self._head)

    def reread(self) -> BinaryIO:
        """The sealed bytes for reading, before they are kept."""
        self.seal()
        return self._path.open("rb")

    def keep(self) -> StoredBytes:
        """Give the bytes their final name; they are durable when this returns."""
        stored = self.seal()
        self.store.settle(self._path, stored.sha256)
        self._path.unlink(missing_ok=True)
        return stored

    def close(self) -> None:
        """Drop what was not kept. May be called at any time and more than once."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class LocalStore:
    """Blobs under `root/ab/abcdef…`, written once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, *, limit: int) -> Incoming:
        """A place to write bytes to, piece by piece, up to `limit` bytes."""
        return Incoming(self, limit)

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

    def open(self, sha256: str) -> BinaryIO:
        """The bytes for reading. Raises FileNotFoundError; never follows a link."""
        folder = self._folder(self.path_of(sha256).parent)
        try:
            handle = os.open(sha256, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        return os.fdopen(handle, "rb")

    def destroy(self, sha256: str) -> str:
        """Delete the bytes; the sentence says what became of them. May run twice."""
        try:
            folder = self._folder(self.path_of(sha256).parent)
        except FileNotFoundError:
            return "The bytes were not in the store."
        try:
            os.unlink(sha256, dir_fd=folder)
            os.fsync(folder)
        except FileNotFoundError:
            return "The bytes were not in the store."
        finally:
            os.close(folder)
        return "The bytes were deleted from the store."

    def path_of(self, sha256: str) -> Path:
        """Where a digest lies. Raises ValueError for anything but a hex sha256."""
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise ValueError("not a sha256 in hex")
        return self.root / sha256[:2] / sha256

    def writable(self) -> bool:
        """Whether a file can be made here now."""
        return os.access(self.incoming, os.W_OK)

    def settle(self, incoming: Path, sha256: str) -> None:
        """Link the bytes to their digest; the same bytes twice are one file."""
        parent = self.path_of(sha256).parent
        parent.mkdir(mode=0o700, exist_ok=True)
        folder = self._folder(parent)
        try:
            os.link(incoming, sha256, dst_dir_fd=folder)
            os.fsync(folder)
        except FileExistsError:
            return
        finally:
            os.close(folder)

    def _folder(self, path: Path) -> int:
        """A descriptor of one of our folders; a planted link is refused."""
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def open_store() -> LocalStore:
    """The store of this installation (`EVIDENCE_STORE`, a folder)."""
    return LocalStore(Path(settings.EVIDENCE_STORE))
