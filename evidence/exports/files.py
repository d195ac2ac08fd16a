"""Export files: written whole or not at all, one per attempt, none left lying."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from evidence.models import Export
from evidence.storage import refuse_full_disk, work_folder
from evidence.storage.failpoints import failpoint

PIECE = 1 << 20  # bytes read at once
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
    export: Export, token: uuid.UUID, ending: str, lines: Iterable[bytes]
) -> WrittenFile:
    """Write the lines under a name that no other attempt has; durable on return.

    Raises StoreFull where the disk is full. Whatever `lines` or the disk raises,
    nothing of this attempt is left.
    """
    with refuse_full_disk():
        target = folder() / f"{export.uuid}-{token.hex}{ending}"
    partial = target.with_suffix(".partial")
    try:
        sha256, size = _write(partial, lines)
        partial.replace(target)
        failpoint("export-written")
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return WrittenFile(target.name, sha256, size)


def _write(path: Path, lines: Iterable[bytes]) -> tuple[str, int]:
    """Hex sha256 and size of what was written and is durable; closed in any case."""
    digest, size = hashlib.sha256(), 0
    with refuse_full_disk():
        file = path.open("wb")
    try:
        for line in lines:  # what these raise is no fault of the disk written to
            digest.update(line)
            size += len(line)
            with refuse_full_disk():
                file.write(line)
            failpoint("export-begun")
        with refuse_full_disk():
            file.flush()
            os.fsync(file.fileno())
    finally:
        with suppress(OSError):  # it writes what it holds, to a disk that may be full
            file.close()
    return digest.hexdigest(), size


def open_named(name: str) -> BinaryIO:
    """A finished file for reading. Raises FileNotFoundError."""
    return (folder() / name).open("rb")


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
