"""Export files: written whole or not at all, one per attempt, none left lying."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from evidence.models import Arrival, Blob, Export
from evidence.storage import (
    open_store,
    refuse_broken_off,
    refuse_full_disk,
    work_folder,
)
from evidence.storage.failpoints import failpoint

PIECE = 1 << 20  # bytes read at once
HASHED_AT_ONCE = 1 << 18  # bytes, at least
MAX_UNDER_WAY = 4  # lots that wait to be hashed, of some 1 MB at most
# A worker that lives renews its lease more often than that.
MAX_UNNAMED_AGE = dt.timedelta(days=1)


@dataclass(frozen=True)
class WrittenFile:
    """A finished file: its name in the folder, hex sha256, size in bytes."""

    name: str
    sha256: str
    size_bytes: int


def folder() -> Path:
    """Where export files lie."""
    return work_folder("exports")


def write_file(
    export: Export, token: uuid.UUID, ending: str, write: Callable[[BinaryIO], None]
) -> WrittenFile:
    """Have a file written under a name that no other attempt has; durable on return.

    Raises StoreFull where the disk is full. Whatever `write` or the disk raises,
    nothing of this attempt is left.
    """
    with refuse_full_disk():
        target = folder() / f"{export.uuid}-{token.hex}{ending}"
    partial = target.with_suffix(".partial")
    try:
        sha256, size = write_durably(partial, write)
        partial.replace(target)
        failpoint("export-written")
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return WrittenFile(target.name, sha256, size)


class _HashedBeside:
    """A SHA-256 that another thread works out while what it is of is written.

    Hashing lets go of the interpreter, so that it costs a second core and no time.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._under_way: deque[Future[None]] = deque()
        self._held: list[bytes | memoryview] = []
        self._size = 0  # bytes held

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes; waits while MAX_UNDER_WAY lots or more are behind.

        A view of bytes is kept as it is: nobody can change them.
        """
        kept = isinstance(data, memoryview) and isinstance(data.obj, bytes)
        self._held.append(data if kept else bytes(data))
        self._size += len(data)
        if self._size >= HASHED_AT_ONCE:
            self._hand_on()
        while len(self._under_way) >= MAX_UNDER_WAY:
            self._under_way.popleft().result()

    def _hand_on(self) -> None:
        parts, self._held, self._size = self._held, [], 0
        self._under_way.append(self._worker.submit(self._hash, parts))

    def _hash(self, parts: Iterable[bytes | memoryview]) -> None:
        for part in parts:
            self._digest.update(part)

    def hexdigest(self) -> str:
        """Of all that was taken."""
        self._hand_on()
        while self._under_way:
            self._under_way.popleft().result()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown(cancel_futures=True)


class _HashedFile:
    """A file that is only written, hashed and measured on the way.

    It can neither seek nor tell, so that nobody changes what was hashed already.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self.size = file, _HashedBeside(), 0
        self.over = False

    def write(self, data: bytes) -> int:
        """Write all of it. Raises StoreFull.

        Once it is over nothing is written: an archive that failed is closed by Python
        whenever it likes, and would still write its end.
        """
        if self.over:
            return len(data)
        self.digest.update(data)
        self.size += len(data)
        with refuse_full_disk():  # what the writer raises itself is no fault of it
            self._file.write(data)
        failpoint("export-begun")
        return len(data)

    def flush(self) -> None:
        """Hand on what is held back. Raises StoreFull."""
        if not self.over:
            with refuse_full_disk():
                self._file.flush()


def write_durably(path: Path, write: Callable[[BinaryIO], None]) -> tuple[str, int]:
    """Hex sha256 and size of what was written and is durable; closed in any case.

    Raises StoreFull where the disk is full, and what `write` raises.
    """
    with refuse_full_disk():
        file = path.open("wb")
    hashed = _HashedFile(file)
    try:
        write(cast("BinaryIO", hashed))
        with refuse_full_disk():
            file.flush()
            os.fsync(file.fileno())
        return hashed.digest.hexdigest(), hashed.size
    finally:
        hashed.over = True
        hashed.digest.close()
        with suppress(OSError):  # it writes what it holds, to a disk that may be full
            file.close()


def open_named(name: str) -> BinaryIO:
    """A finished file for reading. Raises FileNotFoundError."""
    return (folder() / name).open("rb")


def keep(written: WrittenFile) -> None:
    """Put a finished file into the evidence store too, where it is backed up.

    Call it outside of a transaction, before a row names it. Raises StoreFull,
    StoreUnreachable.
    """
    Arrival.objects.expect([written.sha256])
    with open_named(written.name) as file:
        pieces = iter(partial(file.read, PIECE), b"")
        open_store().put(pieces, limit=written.size_bytes)


def kept_blob(written: WrittenFile, media_type: str) -> Blob:
    """The row of its bytes in the store, within the transaction that names it.

    Bytes have one media type: somebody may bring the same file as evidence.
    """
    row = Blob(
        sha256=written.sha256,
        size_bytes=written.size_bytes,
        media_type=media_type.partition(";")[0],
    )
    Blob.objects.bulk_create([row], ignore_conflicts=True)
    rows = Blob.objects.select_for_update(no_key=True).in_store()
    return rows.get(sha256=written.sha256)


def open_kept(blob: Blob) -> BinaryIO:
    """Bytes of the evidence store as a file that can seek, deleted when it is closed.

    Raises FileNotFoundError, StoreFull, StoreUnreachable.
    """
    with refuse_full_disk(), refuse_broken_off():
        copy = TemporaryFile(dir=folder())  # noqa: SIM115 - the caller closes it
        with open_store().open(blob.sha256) as body:
            shutil.copyfileobj(body, copy, PIECE)
        copy.seek(0)
    return cast("BinaryIO", copy)


def is_as_written(file: BinaryIO, sha256: str) -> bool:
    """Whether an open file has the digest (hex) it was made with; rewound after."""
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest() == sha256


def drop_file(name: str) -> None:
    """Delete one file, if it is there."""
    (folder() / name).unlink(missing_ok=True)


def drop_other_files(export: Export) -> None:
    """Delete what earlier attempts left beside the file that the export names."""
    for path in folder().glob(f"{export.uuid}*"):
        if path.name != export.file_name:
            path.unlink(missing_ok=True)


def sweep_files(instant: dt.datetime) -> int:
    """Delete files of the folder that no export names and that are a day old.

    Killed workers leave them; returns how many there were.
    """
    before = (instant - MAX_UNNAMED_AGE).timestamp()
    old = []
    for path in folder().iterdir():
        with suppress(FileNotFoundError):  # workers drop theirs meanwhile
            if path.lstat().st_mtime < before:
                old.append(path.name)
    named = set(
        Export.objects.filter(file_name__in=old).values_list("file_name", flat=True)
    )
    unnamed = [name for name in old if name not in named]
    for name in unnamed:
        with suppress(IsADirectoryError, PermissionError):
            drop_file(name)
    return len(unnamed)
