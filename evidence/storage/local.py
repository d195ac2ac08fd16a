"""A folder as evidence store: temp file, fsync, link to the digest, fsync folder."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evidence.storage.base import (
    Store,
    StoredBytes,
    StoredObject,
    is_digest,
    key_of,
    probe_folder,
    refuse_other_bytes,
)
from evidence.storage.failpoints import failpoint

# Folders in the root that hold no blobs.
OURS = frozenset({"incoming", "exports", "keys", "checkpoints"})


class LocalStore(Store):
    """Blobs under `root/ab/abcdef…`, written once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settle(self, waiting: Path, stored: StoredBytes) -> None:
        """Link the bytes to their digest; the same bytes twice are one file."""
        parent = self.path_of(stored.sha256).parent
        self._make(parent)
        with self._folder(parent) as folder:
            try:
                os.link(waiting, stored.sha256, dst_dir_fd=folder)
                failpoint("after-link")
            except FileExistsError:
                refuse_other_bytes(stored, _size(folder, stored.sha256))
                os.utime(stored.sha256, dir_fd=folder)  # no sweep takes it for old
            os.fsync(folder)
        failpoint("after-folder-fsync")

    def open(self, sha256: str) -> BinaryIO:
        """The bytes for reading. Raises FileNotFoundError; never follows a link."""
        with self._folder(self.path_of(sha256).parent) as folder:
            handle = os.open(sha256, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            return os.fdopen(handle, "rb")
        except OSError:  # a folder
            os.close(handle)
            raise

    def has(self, sha256: str) -> bool:
        """Whether a file of ours lies under the digest."""
        try:
            with self._folder(self.path_of(sha256).parent) as folder:
                return _size(folder, sha256) is not None
        except FileNotFoundError:
            return False

    def set_legal_hold(self, sha256: str, *, on: bool) -> None:
        """Nothing: a folder has no holds of its own."""

    def destroy(self, sha256: str) -> str:
        """Delete the bytes; the sentence says what became of them. May run twice."""
        try:
            with self._folder(self.path_of(sha256).parent) as folder:
                os.unlink(sha256, dir_fd=folder)
                os.fsync(folder)
        except FileNotFoundError:
            return "The bytes were not in the store."
        return "The bytes were deleted from the store."

    def everything(self) -> Iterator[StoredObject]:
        """All files outside the folders of OURS, in the order of their names."""
        for path in sorted(self.root.iterdir()):
            if path.name in OURS:
                continue
            folder = path.is_dir() and not path.is_symlink()
            for entry in sorted(path.iterdir()) if folder else [path]:
                with suppress(FileNotFoundError):  # destroyed meanwhile
                    yield self._stored_object(entry)

    def _stored_object(self, path: Path) -> StoredObject:
        name = str(path.relative_to(self.root))
        ours = is_digest(path.name) and name == key_of(path.name)
        since = dt.datetime.fromtimestamp(path.lstat().st_mtime, dt.UTC)
        return StoredObject(name, path.name if ours else "", since)

    def path_of(self, sha256: str) -> Path:
        """Where a digest lies. Raises ValueError for anything but a hex sha256."""
        return self.root / key_of(sha256)

    def writable(self) -> bool:
        """Whether bytes can be written here now. Raises OSError: a full disk."""
        probe_folder(self.incoming)
        return True

    def _make(self, folder: Path) -> None:
        """Make one of our folders; its name survives a power cut."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return
        with self._folder(self.root) as root:
            os.fsync(root)

    @contextmanager
    def _folder(self, path: Path) -> Iterator[int]:
        """A descriptor of one of our folders; a planted link is refused."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        handle = os.open(path, flags)
        try:
            yield handle
        finally:
            os.close(handle)


def _size(folder: int, name: str) -> int | None:
    """Bytes of a plain file; None for a link, a folder and whatever else."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    return status.st_size if stat.S_ISREG(status.st_mode) else None
