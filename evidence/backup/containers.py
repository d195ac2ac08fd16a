"""A set on disk: a folder, or one tar file where its name ends with `.tar`.

Both are written under another name first, so that PATH is there whole or not at all,
and read one file after the other: memory does not grow with the set.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evidence.backup.manifest import LISTING, MANIFEST, BrokenSet, read_listing

PIECE = 1 << 20  # bytes copied at once
TAR = ".tar"


class Unreadable(OSError):
    """What is copied cannot be read to its end; where it goes to is not to blame."""


class HashedReader:
    """A file that is hashed and measured while somebody reads it.

    With `size_bytes` it has at least so many. Raises Unreadable.
    """

    def __init__(self, file: BinaryIO, size_bytes: int = 0) -> None:
        self._file, self._expected = file, size_bytes
        self.digest, self.size_bytes = hashlib.sha256(), 0

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most so many."""
        try:
            piece = self._file.read(size)
        except OSError as failure:
            raise Unreadable(failure.strerror or str(failure)) from failure
        self.digest.update(piece)
        self.size_bytes += len(piece)
        if not piece and self.size_bytes < self._expected:
            raise Unreadable("it ends too early")
        return piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece


class SetWriter(ABC):
    """A set that is being written. Order of use: `add` for each file, then `finish`,
    and `discard` at any time."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.partial = target.with_name(f".{target.name}.{os.getpid()}.partial")

    @abstractmethod
    def add(self, name: str, size_bytes: int, file: HashedReader) -> None:
        """Add one file, read from `file`. Raises Unreadable, OSError."""

    @abstractmethod
    def finish(self) -> None:
        """Give the set its name; it is durable when this returns."""

    @abstractmethod
    def discard(self) -> None:
        """Leave nothing of a set that was not finished."""

    def _named(self) -> None:
        self.partial.rename(self.target)
        _sync(self.target.parent)


class FolderWriter(SetWriter):
    """A set as a folder that only its maker reads."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self.partial.mkdir(mode=0o700)

    def add(self, name: str, size_bytes: int, file: HashedReader) -> None:
        """Write the file and make it durable."""
        path = self.partial / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _created(path) as copy:
            shutil.copyfileobj(file, copy, PIECE)
            copy.flush()
            os.fsync(copy.fileno())

    def finish(self) -> None:
        """Make every name durable, then give the folder its own."""
        for folder, _, _ in os.walk(self.partial):
            _sync(Path(folder))
        self._named()

    def discard(self) -> None:
        """Remove the folder under its other name."""
        shutil.rmtree(self.partial, ignore_errors=True)


class TarWriter(SetWriter):
    """A set as one tar file, in the order in which files are added."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self._file = _created(self.partial)
        self._tar = tarfile.open(  # noqa: SIM115 - closed by `finish` or `discard`
            fileobj=self._file, mode="w|", format=tarfile.PAX_FORMAT
        )

    def add(self, name: str, size_bytes: int, file: HashedReader) -> None:
        """Append the file."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size_bytes, 0o600
        self._tar.addfile(member, file)  # type: ignore[arg-type]
        self._tar.members = []  # type: ignore[attr-defined] # else it keeps them all

    def finish(self) -> None:
        """Write the end of the tar and give it its name."""
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._named()

    def discard(self) -> None:
        """Remove the file under its other name."""
        for file in (self._tar, self._file):
            with suppress(OSError):  # it writes what it holds, to a disk that is full
                file.close()
        self.partial.unlink(missing_ok=True)


def writer_of(target: Path) -> SetWriter:
    """Raises OSError where nothing can be written there."""
    return TarWriter(target) if target.suffix == TAR else FolderWriter(target)


class SetReader(ABC):
    """A set that somebody brings. What it says is not believed."""

    def __init__(self, source: Path) -> None:
        self.source = source

    @abstractmethod
    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """Each file in order, list and manifest last; the file is good until the next.

        Raises BrokenSet for what is no set, or where a file is missing.
        """


class FolderReader(SetReader):
    """A set as a folder; no link in it is followed."""

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """The files that the list names, then list and manifest."""
        with self._open(LISTING) as listing:
            for listed in read_listing(listing):
                with self._open(listed.name) as file:
                    yield listed.name, file
        for name in (LISTING, MANIFEST):
            with self._open(name) as file:
                yield name, file

    def _open(self, name: str) -> BinaryIO:
        try:
            handle = os.open(self.source / name, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as failure:
            why = failure.strerror or "it cannot be opened"
            raise BrokenSet(f"{name} of the set cannot be read: {why}.") from failure
        return os.fdopen(handle, "rb")


class TarReader(SetReader):
    """A set as one tar file; only its plain files are read."""

    def files(self) -> Iterator[tuple[str, BinaryIO]]:
        """The files as they lie in the tar."""
        try:
            with tarfile.open(self.source, mode="r|") as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isreg() else None
                    if file is None:
                        raise BrokenSet(f"{member.name} of the set is no plain file.")
                    yield member.name, file  # type: ignore[misc]
                    tar.members = []  # type: ignore[attr-defined] # as above
        except tarfile.TarError as failure:
            text = f"{self.source} is no whole tar file: {failure}."
            raise BrokenSet(text) from failure


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Inside, a file of a set that cannot be read to its end raises BrokenSet."""
    try:
        yield
    except Unreadable as failure:
        raise BrokenSet(f"{name} of the set cannot be read: {failure}.") from failure
    except tarfile.TarError as failure:
        raise BrokenSet(f"{name} of the set is cut short.") from failure


def reader_of(source: Path) -> SetReader:
    """Raises BrokenSet where there is neither a folder nor a file."""
    if source.is_dir():
        return FolderReader(source)
    if source.is_file():
        return TarReader(source)
    raise BrokenSet(f"There is no backup {source}.")


def _created(path: Path) -> BinaryIO:
    """A new file that only its maker reads."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
