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


class BlobTooLarge(SrmError):
    """More bytes than the limit; nothing was stored."""

    status_code = 413


@dataclass(frozen=True)
class StoredBytes:
    """What lies in the store: hex sha256, size in bytes, and the first bytes."""

    sha256: str
    size_bytes: int
    head: bytes


class LocalStore:
    """Blobs under `root/ab/abcdef…`, written once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, chunks: Iterable[bytes], *, limit: int) -> StoredBytes:
        """Write and hash in one pass; the bytes are durable when this returns.

        Raises BlobTooLarge as soon as `limit` bytes are exceeded, leaving nothing.
        """
        handle, name = tempfile.mkstemp(dir=self.incoming)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                stored = _copy(chunks, file, limit)
                file.flush()
                os.fsync(file.fileno())
            self._settle(path, stored.sha256)
        finally:
            path.unlink(missing_ok=True)
        return stored

    def open(self, sha256: str) -> BinaryIO:
        """The bytes for reading. Raises FileNotFoundError; never follows a link."""
        flags = os.O_RDONLY | os.O_NOFOLLOW
        return os.fdopen(os.open(self.path_of(sha256), flags), "rb")

    def path_of(self, sha256: str) -> Path:
        """Where a digest lies. Raises ValueError for anything but a hex sha256."""
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise ValueError("not a sha256 in hex")
        return self.root / sha256[:2] / sha256

    def writable(self) -> bool:
        """Whether a file can be made here now."""
        return os.access(self.incoming, os.W_OK)

    def _settle(self, incoming: Path, sha256: str) -> None:
        """Give the bytes their final name; the same bytes twice are one file."""
        target = self.path_of(sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            os.link(incoming, target)
        except FileExistsError:
            return
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _copy(chunks: Iterable[bytes], file: BinaryIO, limit: int) -> StoredBytes:
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BlobTooLarge(f"The file is larger than {limit // 1_000_000} MB.")
        digest.update(chunk)
        head = head or chunk[:4096]
        file.write(chunk)
    return StoredBytes(digest.hexdigest(), size, head)


def open_store() -> LocalStore:
    """The store of this installation (`EVIDENCE_STORE`, a folder)."""
    return LocalStore(Path(settings.EVIDENCE_STORE))
